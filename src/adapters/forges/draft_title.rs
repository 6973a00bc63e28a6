//! Drafts of forges that have no field for it: the title says so.

/// The ways in which forges write it: GitLab's
/// (<https://docs.gitlab.com/user/project/merge_requests/drafts/>), and Gitea's defaults
/// (<https://docs.gitea.com/usage/pull-request>).
const MARKS: &[&str] = &["draft:", "[draft]", "(draft)", "wip:", "[wip]"];

/// The title without the mark, and whether it had one.
pub(super) fn unmarked(title: &str) -> (&str, bool) {
    for mark in MARKS {
        if let Some(start) = title.get(..mark.len())
            && start.eq_ignore_ascii_case(mark)
        {
            return (title[mark.len()..].trim_start(), true);
        }
    }
    (title, false)
}

/// The title as the forge must have it. `mark` is the forge's own.
pub(super) fn marked(title: &str, is_draft: bool, mark: &str) -> String {
    if is_draft && !unmarked(title).1 {
        format!("{mark} {title}")
    } else {
        title.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_put_on_once_and_taken_off() {
        assert_eq!(marked("Use TCN2", true, "Draft:"), "Draft: Use TCN2");
        assert_eq!(marked("WIP: Use TCN2", true, "Draft:"), "WIP: Use TCN2");
        assert_eq!(marked("Use TCN2", false, "Draft:"), "Use TCN2");
        assert_eq!(unmarked("draft: Use TCN2"), ("Use TCN2", true));
        assert_eq!(unmarked("[WIP] Use TCN2"), ("Use TCN2", true));
        assert_eq!(unmarked("Drafting"), ("Drafting", false));
        assert_eq!(unmarked("é"), ("é", false));
    }
}
