//! What rsync says it changes (`--itemize-changes`).

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub deletes: bool,
    /// As rsync writes it: what is not printable as `\#ooo`.
    pub path: String,
    /// As rsync writes it.
    pub line: String,
}

/// Lines that change something. A time alone is none: shares keep times as they like, and contents are compared.
pub fn read(output: &str) -> Vec<Change> {
    output.lines().filter_map(change).collect()
}

fn change(line: &str) -> Option<Change> {
    let (code, path) = line.split_once(' ')?;
    let path = path.trim_start().to_string();
    if code == "*deleting" {
        return Some(Change { deletes: true, path, line: line.into() });
    }
    let (kind, marks) = (code.get(..2)?, code.get(2..)?);
    let known =
        code.len() >= 9 && kind.starts_with(['<', '>', 'c', 'h', '.']) && kind.ends_with(['f', 'd', 'L', 'D', 'S']);
    let idle = kind.starts_with('.') && marks.chars().all(|c| c == '.' || c == ' ' || c == 't' || c == 'T');
    (known && !idle).then(|| Change { deletes: false, path, line: line.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_rsync() {
        let text = "<f+++++++++ Dockerfile\n<fcst...... config.yaml\n*deleting   old file\ncd+++++++++ rootfs/\n\
                    .f..t...... same\n.d..t...... ./\n.f...p..... run\ncL+++++++++ link -> there\nsent 5 bytes\n\
                    rsync: warning\n";
        let paths: Vec<(bool, String)> = read(text).into_iter().map(|one| (one.deletes, one.path)).collect();
        let want = [(false, "Dockerfile"), (false, "config.yaml"), (true, "old file"), (false, "rootfs/")];
        assert_eq!(paths[..4], want.map(|(deletes, path)| (deletes, path.to_string())));
        assert_eq!(paths[4..], [(false, "run".to_string()), (false, "link -> there".to_string())]);
    }
}
