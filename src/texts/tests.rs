//! Every language says everything, with the same values, and nothing is said past the languages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The messages of a language: key → the names of the values in it.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let mut key = String::new();
    for (name, texts) in FILES {
        let text = texts[language as usize];
        FluentResource::try_new(text.into()).unwrap_or_else(|(_, faults)| panic!("{language}/{name}: {faults:?}"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((found, _)) = line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_alphabetic())) {
                key = found.to_string();
                assert!(all.insert(key.clone(), BTreeSet::new()).is_none(), "{language}: {key} twice");
            }
            let values = line.split('$').skip(1);
            let names = values.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            all.get_mut(&key).map(|all: &mut BTreeSet<String>| all.extend(names)).unwrap_or_default();
        }
    }
    all
}

fn files(dir: &str, ends: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).expect("reading a folder") {
        let path = entry.expect("reading a folder").path();
        if path.is_dir() {
            files(path.to_str().unwrap(), ends, found);
        } else if path.to_string_lossy().ends_with(ends) {
            found.push(path);
        }
    }
}

/// Sources and templates, as one text.
fn code() -> String {
    let mut found = Vec::new();
    files("src", ".rs", &mut found);
    files("templates", ".html", &mut found);
    found.iter().map(|path| fs::read_to_string(path).expect("reading a file")).collect()
}

#[test]
fn every_language_has_every_text_with_the_same_values() {
    let english = messages(Language::English);
    assert!(english.len() > 100, "hardly any text was found: {}", english.len());
    for language in Language::ALL {
        let theirs = messages(language);
        for (key, values) in &english {
            let found = theirs.get(key).unwrap_or_else(|| panic!("{language} lacks {key}"));
            assert_eq!(found, values, "{language}: {key}");
        }
        let extra: Vec<_> = theirs.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(extra.is_empty(), "{language} has texts that English lacks: {extra:?}");
    }
}

#[test]
fn every_text_is_used_and_every_used_text_is_there() {
    let english = messages(Language::English);
    let code = code();
    // Keys that are put together of a kind and a name: their lists are tested where the names are.
    let families = ["problem-", "refusal-", "stage-", "doing-", "warning-", "error-", "finish-"];
    let unused: Vec<_> = english
        .keys()
        .filter(|key| !families.iter().any(|family| key.starts_with(family)))
        .filter(|key| !code.contains(&format!("\"{key}\"")))
        .collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
    let mut missing = BTreeSet::new();
    for call in [".say(\"", ".with(\"", ".tell(\"", "Phrase::of(\"", "Phrase::with(\""] {
        for (at, _) in code.match_indices(call) {
            let key: String = code[at + call.len()..].chars().take_while(|c| *c != '"').collect();
            // Later methods of the same names take other things.
            if key.contains('-') && !key.contains(['{', ' ']) && !english.contains_key(&key) {
                missing.insert(key);
            }
        }
    }
    missing.remove("not-known-here");
    assert!(missing.is_empty(), "there is no text for {missing:?}");
}

/// What is left of a template without its tags, values and comments is text past the languages.
fn bare_text(template: &str) -> String {
    let mut left = template.to_string();
    for (open, close) in [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<!--", "-->"), ("<", ">")] {
        while let Some(from) = left.find(open) {
            let Some(length) = left[from..].find(close) else { break };
            left.replace_range(from..from + length + close.len(), " ");
        }
    }
    left
}

#[test]
fn templates_have_no_words_of_their_own() {
    let mut found = Vec::new();
    files("templates", ".html", &mut found);
    assert!(found.len() > 5);
    for path in found.iter().filter(|path| !ENGLISH.iter().any(|name| path.ends_with(name))) {
        let text = fs::read_to_string(path).expect("reading a template");
        let bare = bare_text(&text);
        let words: Vec<&str> = bare.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !OPEN_WORDS.contains(word)).collect();
        assert!(words.is_empty(), "{}: {words:?}", path.display());
        for attribute in ["aria-label=\"", "title=\"", "alt=\"", "placeholder=\""] {
            for (at, _) in text.match_indices(attribute) {
                let value = text[at + attribute.len()..].split('"').next().unwrap_or_default();
                assert!(value.starts_with("{{"), "{}: {attribute}{value}", path.display());
            }
        }
    }
}

/// The demo's own page plays Home Assistant and speaks English, as the command line does.
const ENGLISH: [&str; 1] = ["demo.html"];

/// The same in every language: names of classes in blocks of the layout.
const OPEN_WORDS: [&str; 1] = ["wide"];

#[test]
fn numbers_choose_their_words() {
    assert_eq!(Language::English.with("ago-hours", "n", 1u64), "an hour ago");
    assert_eq!(Language::English.with("ago-hours", "n", 3u64), "3 hours ago");
    assert_eq!(Language::German.with("ago-hours", "n", 3u64), "vor 3 Stunden");
    assert_eq!(Language::German.say("no such text"), "no such text");
}
