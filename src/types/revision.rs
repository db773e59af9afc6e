//! How upstream names a state: a commit id, or a version.

/// Returns a revision as people read it: the beginning of a commit id, a version as it is.
pub fn short_revision(revision: &str) -> &str {
    let is_commit = matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { &revision[..7] } else { revision }
}

#[cfg(test)]
mod tests {
    use super::short_revision;

    #[test]
    fn a_commit_is_cut_and_a_version_is_not() {
        assert_eq!(short_revision("366ad374439c58913adc378021707cb7a9676432"), "366ad37");
        assert_eq!(short_revision("1.10.0-rc.1"), "1.10.0-rc.1");
    }
}
