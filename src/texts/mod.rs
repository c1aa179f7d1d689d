//! Every word that a person reads, in one folder per language: `en/`, `de/`. English is complete, and what another
//! language lacks is said in it.
//!
//! The files are Fluent (projectfluent.org): `key = text with { $name }`. A new language is a folder, a line in
//! [`Language`] and its files in [`FILES`]; a test holds every language to the keys and variables of English.

mod phrase;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

pub use phrase::Phrase;

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    #[default]
    English,
    German,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// One file a subject: its name, and its text in the order of [`Language::ALL`].
        const FILES: &[(&str, [&str; Language::ALL.len()])] = &[
            $(($name, [include_str!(concat!("en/", $name, ".ftl")), include_str!(concat!("de/", $name, ".ftl"))])),*
        ];
    };
}

files![
    "frame", "problems", "refusals", "stages", "units", "home", "card", "job", "swap", "records", "phrases", "finish",
];

/// The languages' texts, read once.
static BUNDLES: LazyLock<BTreeMap<Language, FluentBundle<FluentResource>>> =
    LazyLock::new(|| Language::ALL.into_iter().map(|language| (language, bundle(language))).collect());

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![language.id()]);
    // Marks around values would end up in titles and in the tests' texts; pages carry `dir="auto"` where it matters.
    bundle.set_use_isolating(false);
    for (name, texts) in FILES {
        let text = texts.get(language as usize).copied().unwrap_or_default();
        // A file with a fault keeps its sound messages; the tests allow no fault.
        let resource = FluentResource::try_new(text.into()).unwrap_or_else(|(sound, faults)| {
            log::error!("the texts {}/{name}: {faults:?}", language.code());
            sound
        });
        if let Err(faults) = bundle.add_resource(resource) {
            log::error!("the texts {}/{name}: {faults:?}", language.code());
        }
    }
    bundle
}

/// A value in a text: a number keeps its kind, so that a language can choose its plural.
pub trait Value {
    fn value(&self) -> FluentValue<'static>;
}

impl Value for str {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.to_string())
    }
}

impl Value for String {
    fn value(&self) -> FluentValue<'static> {
        self.as_str().value()
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn value(&self) -> FluentValue<'static> {
        (**self).value()
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(impl Value for $kind {
            fn value(&self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }
        })*
    };
}

numbers![u8, u32, u64, usize];

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::German];

    /// As in `<html lang>`.
    pub const fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    fn id(self) -> LanguageIdentifier {
        self.code().parse().unwrap_or_default()
    }

    /// The language of a tag as browsers send it: `de`, `de-AT`.
    pub fn of_tag(tag: &str) -> Option<Language> {
        let primary = tag.split('-').next().unwrap_or_default();
        Language::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The text of `key`.
    pub fn say(self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of `key` with one value in it.
    pub fn with(self, key: &str, name: &'static str, value: impl Value) -> String {
        self.tell(key, &[(name, &value)])
    }

    /// The text of `key` with values in it.
    pub fn tell(self, key: &str, values: &[(&'static str, &dyn Value)]) -> String {
        let args: FluentArgs = values.iter().map(|(name, value)| (*name, value.value())).collect();
        self.format(key, Some(&args))
    }

    fn format(self, key: &str, args: Option<&FluentArgs>) -> String {
        let found = self.lookup(key, args).or_else(|| Language::English.lookup(key, args));
        // A key that nobody wrote is a fault of ours, and still better than nothing on the page.
        found.unwrap_or_else(|| {
            log::error!("there is no text {key:?}");
            key.to_string()
        })
    }

    fn lookup(self, key: &str, args: Option<&FluentArgs>) -> Option<String> {
        let bundle = BUNDLES.get(&self)?;
        let pattern = bundle.get_message(key)?.value()?;
        let mut faults = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut faults).into_owned();
        if !faults.is_empty() {
            log::error!("the text {key:?}: {faults:?}");
        }
        Some(text)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests;
