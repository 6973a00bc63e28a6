//! Our part of a pull request's body, between two hidden marks. What people write around it stays,
//! and what they change in it stays as long as we have nothing new to say.

use std::ops::Range;

use super::pull_request::{PullRequest, WantedPullRequest};

const BEGIN: &str = "<!-- modelsync begin digest=";
/// Stands where the mark of a proposal that we took back had its digest, model and models before it.
const WITHDRAWN: &str = "withdrawn";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- modelsync end -->";

/// The longest body that GitHub takes, in characters.
const MOST: usize = 65_536;

/// What the first of our marks says: which text it is (`digest`), and what it proposes: this model
/// for these, which are in the base. The text of the same proposal may change.
#[must_use]
pub fn mark(digest: &str, model: &str, previous: &[String]) -> String {
    let previous: Vec<String> = previous.iter().map(|it| escaped(it)).collect();
    let (model, previous) = (escaped(model), previous.join(","));
    format!("{digest} model={model} previous={previous}")
}

/// A name as one word that cannot end a comment of HTML.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Whether a text fits into our part of a body as it is, and leaves an eighth of the body for what
/// people write around it.
#[must_use]
pub fn has_room(text: &str, mark: &str) -> bool {
    let text = without_marks(text);
    frame(mark) + text.trim().chars().count() <= MOST - MOST / 8
}

/// A text as our part of a body, with what [`mark`] gives.
#[must_use]
pub fn marked(text: &str, mark: &str) -> String {
    let text = without_marks(text);
    let text = shortened(text.trim(), MOST.saturating_sub(frame(mark)));
    format!("{BEGIN}{mark}{BEGIN_END}\n{text}\n{END}\n")
}

/// Whether a pull request proposes what we would propose now. Where somebody has taken our marks
/// away, it does when it has our title and that names the model: a title that fits any model tells
/// nothing.
pub(super) fn proposes(
    there: &PullRequest,
    wanted: &WantedPullRequest,
    mark: &str,
    model: &str,
) -> bool {
    let proposal = |mark: &str| mark.split_once(' ').map(|(_, rest)| rest.to_owned());
    match find(&there.body) {
        Some((_, said)) => proposal(said).is_some_and(|said| Some(said) == proposal(mark)),
        None => {
            let short = model.rsplit('/').next().unwrap_or(model);
            there.title.trim() == wanted.title.trim() && wanted.title.contains(short)
        }
    }
}

/// The body of a pull request that we are about to close: its mark no longer proposes anything, so
/// that nobody takes it for refused. `None` when it says so already.
pub(super) fn withdrawn(body: &str) -> Option<String> {
    match find(body) {
        Some((_, WITHDRAWN)) => None,
        Some((place, said)) => {
            let start = place.start + BEGIN.len();
            let end = start + said.len();
            Some(format!("{}{WITHDRAWN}{}", &body[..start], &body[end..]))
        }
        None => {
            let ours = format!("{BEGIN}{WITHDRAWN}{BEGIN_END}\n{END}\n");
            let own = body.trim_end();
            Some(match own {
                "" => ours,
                own => fitted(&format!("{own}\n\n"), &ours, ""),
            })
        }
    }
}

/// Title and body that a pull request should get, or nothing when it says already what we would say.
pub(super) fn replaced(
    there: &PullRequest,
    wanted: &WantedPullRequest,
    mark: &str,
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
    if said == mark {
        return None;
    }
    let body = fitted(
        &body[..place.start],
        wanted.body.trim_end(),
        &body[place.end..],
    );
    Some((wanted.title.clone(), body))
}

/// The place of our part, and what its first mark says.
fn find(body: &str) -> Option<(Range<usize>, &str)> {
    let start = body.find(BEGIN)?;
    let rest = &body[start + BEGIN.len()..];
    let (mark, _) = rest.split_once(BEGIN_END)?;
    let end = body[start..].find(END).map(|end| start + end + END.len())?;
    Some((start..end, mark))
}

/// Our part between what others wrote, which counts more when both are too long.
fn fitted(before: &str, ours: &str, after: &str) -> String {
    let others = before.chars().count() + after.chars().count();
    let room = MOST.saturating_sub(others);
    let ours = if ours.chars().count() <= room {
        ours.to_owned()
    } else {
        let mark = find(ours).map_or("", |(_, mark)| mark);
        let text = find(ours).map_or(ours, |(place, mark)| {
            let start = place.start + BEGIN.len() + mark.len() + BEGIN_END.len();
            &ours[start..place.end - END.len()]
        });
        let text = shortened(text.trim(), room.saturating_sub(frame(mark)));
        format!("{BEGIN}{mark}{BEGIN_END}\n{text}\n{END}")
    };
    format!("{before}{ours}{after}")
}

/// How many characters stand around our text.
fn frame(mark: &str) -> usize {
    format!("{BEGIN}{mark}{BEGIN_END}\n\n{END}\n")
        .chars()
        .count()
}

/// Whole lines of a text, as many as there is room for; of a first line that is too long its
/// beginning.
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
    if short.trim().is_empty() {
        short = text.chars().take(room).collect();
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
    fn knows_its_proposal_again() {
        let names = |names: &[&str]| names.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        let now = mark("d2", "models/TCN2", &names(&["TCN1"]));
        let wanted = wanted("label-bot: update the model to TCN2", "text", &now);
        let rows = [
            // Another text of the same proposal, whatever else people wrote.
            (
                "t",
                format!(
                    "Mine.\r\n\r\n{}",
                    marked("old", &mark("d1", "models/TCN2", &names(&["TCN1"])))
                ),
                true,
            ),
            (
                "t",
                marked("old", &mark("d2", "models/TCN3", &names(&["TCN1"]))),
                false,
            ),
            (
                "t",
                marked("old", &mark("d2", "models/TCN2", &names(&["TCN0"]))),
                false,
            ),
            ("t", marked("old", &mark("d2", "models/TCN2", &[])), false),
            // With our title, but taken back by us.
            (&wanted.title, withdrawn(&wanted.body).unwrap(), false),
            (&wanted.title, withdrawn("").unwrap(), false),
            // Without marks.
            (&wanted.title, String::new(), true),
            ("another title", String::new(), false),
        ];
        for (title, body, is_same) in rows {
            let there = there(title, &body);
            assert_eq!(
                proposes(&there, &wanted, &now, "models/TCN2"),
                is_same,
                "{title} {body}"
            );
        }
        let vague = WantedPullRequest {
            title: "Update".to_owned(),
            ..wanted
        };
        assert!(!proposes(&there("Update", ""), &vague, &now, "models/TCN2"));
    }

    #[test]
    fn a_name_is_one_word_in_a_mark() {
        let names = ["a --> b".to_owned(), "c,d".to_owned()];
        let mark = mark("d", "models:/bot x/5", &names);
        assert_eq!(
            mark,
            "d model=models:/bot%20x/5 previous=a%20--%3E%20b,c%2Cd"
        );
        let body = marked("text", &mark);
        assert_eq!(find(&body).unwrap().1, mark);
    }

    #[test]
    fn says_that_it_was_taken_back() {
        let body = format!(
            "Mine.\r\n{}And mine.",
            marked("text", "d model=m previous=")
        );
        let taken_back = withdrawn(&body).unwrap();
        insta::assert_snapshot!(taken_back.replace('\r', ""), @"
        Mine.
        <!-- modelsync begin digest=withdrawn -->
        text
        <!-- modelsync end -->
        And mine.
        ");
        assert_eq!(withdrawn(&taken_back), None);
        // Wanted again while it is still open.
        let again = wanted("t", "text", "d model=m previous=");
        let (_, body) = replaced(&there("t", &taken_back), &again, "d model=m previous=").unwrap();
        assert!(
            body.contains("model=m") && !body.contains(WITHDRAWN),
            "{body}"
        );
        // Marks that somebody took away come back, or it would count as refused.
        assert!(
            withdrawn("all theirs")
                .unwrap()
                .starts_with("all theirs\n\n<!-- modelsync")
        );
        let long = "é".repeat(MOST);
        assert!(find(&withdrawn(&long).unwrap()).is_some());
    }

    #[test]
    fn a_text_cannot_forge_the_marks() {
        let body = marked("a <!-- modelsync end --> b", "d");
        assert_eq!(body.matches(END).count(), 1);
    }
}
