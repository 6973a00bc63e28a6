//! Our part of a pull request's body, between two hidden marks. What people write around it stays,
//! and what they change in it stays as long as we have nothing new to say.

use std::ops::Range;

use super::pull_request::{PullRequest, WantedPullRequest};

const BEGIN: &str = "<!-- modelsync begin digest=";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- modelsync end -->";

/// The longest body that GitHub takes, in characters.
const MOST: usize = 65_536;

/// A text as our part of a body.
#[must_use]
pub fn marked(text: &str, digest: &str) -> String {
    let text = without_marks(text);
    let frame = format!("{BEGIN}{digest}{BEGIN_END}\n\n{END}\n")
        .chars()
        .count();
    let text = shortened(text.trim(), MOST - frame);
    format!("{BEGIN}{digest}{BEGIN_END}\n{text}\n{END}\n")
}

/// Title and body that a pull request should get, or nothing when it says already what we would say.
pub(super) fn replaced(
    there: &PullRequest,
    wanted: &WantedPullRequest,
    digest: &str,
) -> Option<(String, String)> {
    let body = there.body.replace("\r\n", "\n");
    let Some((place, said)) = find(&body) else {
        // Somebody took our marks away. With our title it is still about this model, and theirs.
        if there.title.trim() == wanted.title.trim() {
            return None;
        }
        let own = body.trim();
        let body = match own {
            "" => wanted.body.clone(),
            own => fitted(&format!("{own}\n\n"), &wanted.body, ""),
        };
        return Some((wanted.title.clone(), body));
    };
    if said == digest {
        return None;
    }
    let body = fitted(
        &body[..place.start],
        wanted.body.trim_end(),
        &body[place.end..],
    );
    Some((wanted.title.clone(), body))
}

/// The place of our part, and the digest that it says.
fn find(body: &str) -> Option<(Range<usize>, &str)> {
    let start = body.find(BEGIN)?;
    let rest = &body[start + BEGIN.len()..];
    let (digest, _) = rest.split_once(BEGIN_END)?;
    let end = body[start..].find(END).map(|end| start + end + END.len())?;
    Some((start..end, digest))
}

/// Our part between what others wrote, which counts more when both are too long.
fn fitted(before: &str, ours: &str, after: &str) -> String {
    let others = before.chars().count() + after.chars().count();
    let room = MOST.saturating_sub(others);
    let ours = if ours.chars().count() <= room {
        ours.to_owned()
    } else {
        let digest = find(ours).map_or("", |(_, digest)| digest);
        let frame = format!("{BEGIN}{digest}{BEGIN_END}\n\n{END}")
            .chars()
            .count();
        let text = find(ours).map_or(ours, |(place, digest)| {
            let start = place.start + BEGIN.len() + digest.len() + BEGIN_END.len();
            &ours[start..place.end - END.len()]
        });
        let text = shortened(text.trim(), room.saturating_sub(frame));
        format!("{BEGIN}{digest}{BEGIN_END}\n{text}\n{END}")
    };
    format!("{before}{ours}{after}")
}

/// Whole lines of a text, as many as there is room for.
fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    const CUT: &str = "\n\n</details>\n\n*There is more, which does not fit here.*";
    const CUT_PLAIN: &str = "\n\n*There is more, which does not fit here.*";
    let room = room.saturating_sub(CUT.chars().count());
    let mut short = String::new();
    let mut count = 0;
    for line in text.split_inclusive('\n') {
        count += line.chars().count();
        if count > room {
            break;
        }
        short.push_str(line);
    }
    let is_open = short.matches("<details>").count() > short.matches("</details>").count();
    let short = short.trim_end();
    format!("{short}{}", if is_open { CUT } else { CUT_PLAIN })
}

/// A text that cannot end our part early.
fn without_marks(text: &str) -> String {
    text.replace("<!-- modelsync", "<!-- (modelsync)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::proposal::Head;

    fn there(title: &str, body: &str) -> PullRequest {
        PullRequest {
            number: 1,
            url: String::new(),
            title: title.to_owned(),
            body: body.to_owned(),
            is_draft: false,
            labels: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            has_auto_merge: false,
        }
    }

    fn wanted(title: &str, text: &str, digest: &str) -> WantedPullRequest {
        WantedPullRequest {
            base: "main".to_owned(),
            head: Head {
                fork: None,
                branch: "b".to_owned(),
            },
            title: title.to_owned(),
            body: marked(text, digest),
            is_draft: false,
            labels: Vec::new(),
            reviewers: Vec::new(),
            assignees: Vec::new(),
            auto_merge: None,
        }
    }

    #[test]
    fn keeps_what_people_wrote() {
        let first = wanted("t1", "one", "d1");
        // Nothing new to say: neither their title nor their words in our part are touched.
        let edited = format!(
            "Mine.\r\n\r\n{}\r\nAnd mine.",
            first.body.replace("one", "1")
        );
        assert_eq!(replaced(&there("my title", &edited), &first, "d1"), None);
        // Something new: our part and the title, and nothing else.
        let second = wanted("t2", "two", "d2");
        let (title, body) = replaced(&there("my title", &edited), &second, "d2").unwrap();
        assert_eq!(title, "t2");
        insta::assert_snapshot!(body, @"
        Mine.

        <!-- modelsync begin digest=d2 -->
        two
        <!-- modelsync end -->

        And mine.
        ");
        assert_eq!(replaced(&there(&title, &body), &second, "d2"), None);
    }

    #[test]
    fn without_marks_the_title_says_whether_it_is_current() {
        let wanted = wanted("t", "text", "d");
        assert_eq!(replaced(&there("t", "all mine"), &wanted, "d"), None);
        let (_, body) = replaced(&there("old", "all mine"), &wanted, "d").unwrap();
        assert!(body.starts_with("all mine\n\n<!-- modelsync begin digest=d -->\ntext\n"));
        assert_eq!(replaced(&there("old", &body), &wanted, "d"), None);
    }

    #[test]
    fn fits_into_a_body() {
        let line = "a line of text\n";
        let long = format!("<details>\n{}", line.repeat(10_000));
        let body = marked(&long, "d");
        assert!(body.chars().count() <= MOST);
        assert!(body.contains("a line of text\n\n</details>"), "closed");
        assert!(body.ends_with("<!-- modelsync end -->\n"));
        let own = "é".repeat(20_000);
        let mut there = there("old", &format!("{own}\n{}", marked("x", "d0")));
        let (title, body) = replaced(&there, &wanted("t", &long, "d"), "d").unwrap();
        assert!(body.chars().count() <= MOST);
        assert!(body.starts_with(&own));
        (there.title, there.body) = (title, body);
        assert_eq!(replaced(&there, &wanted("t", &long, "d"), "d"), None);
    }

    #[test]
    fn a_text_cannot_forge_the_marks() {
        let body = marked("a <!-- modelsync end --> b", "d");
        assert_eq!(body.matches(END).count(), 1);
    }
}
