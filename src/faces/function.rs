//! `modelsync fn`: standard input to an answer.

use std::panic;
use std::time::Duration;

use jiff::Timestamp;

use crate::adapters::{clock, files, runtime, sources};
use crate::core::change::{Models, Question, Task};
use crate::core::function::{Call, Response};
use crate::core::model::Listing;
use crate::core::yaml::apply_in_place;

/// How long registries have to answer. kpt ends a function after five minutes, and then nothing comes
/// out at all.
const DEADLINE: Duration = Duration::from_secs(240);

/// What goes out, as bytes: what came in may not even be text.
pub(crate) struct Answer {
    /// For standard output.
    pub(crate) output: Vec<u8>,
    /// For standard error, when the function failed.
    pub(crate) error: Option<String>,
}

/// Reads standard input and answers it.
///
/// # Errors
/// Standard input cannot be read; then there is nothing to answer with.
pub(crate) fn run(task: Option<Task>) -> anyhow::Result<Answer> {
    let bytes = files::read_stdin()?;
    let now = match clock::now() {
        Ok(now) => now,
        Err(error) => {
            return Ok(Answer {
                output: bytes,
                error: Some(format!("{error:#}")),
            });
        }
    };
    Ok(match String::from_utf8(bytes) {
        Ok(input) => {
            // Should there be a bug that makes it panic, the items must come out all the same.
            match panic::catch_unwind(|| respond(&input, task, now)) {
                Ok(response) => Answer {
                    output: apply_in_place(input, &response.splices).into_bytes(),
                    error: response.error,
                },
                Err(_) => Answer {
                    output: input.into_bytes(),
                    error: Some("nothing was changed".to_owned()),
                },
            }
        }
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            let message = format!("cannot read standard input: byte {offset} is not UTF-8");
            Answer {
                output: error.into_bytes(),
                error: Some(message),
            }
        }
    })
}

/// Answers, after registries were asked when a config names one. Without one there is no network, and
/// nothing is prepared for it.
fn respond(input: &str, task: Option<Task>, now: Timestamp) -> Response {
    let call = match Call::read(input, task) {
        Ok(call) => call,
        Err(response) => return response,
    };
    let questions = call.questions();
    let models = Models {
        given: None,
        asked: if questions.is_empty() {
            Vec::new()
        } else {
            ask(questions, DEADLINE)
        },
    };
    call.respond(&models, now)
}

fn ask(questions: Vec<Question>, limit: Duration) -> Vec<(Question, Result<Listing, String>)> {
    let unanswered = questions.clone();
    let answers = runtime::block_on(runtime::within(limit, sources::ask(questions)));
    let problem = match answers {
        Ok(Some(answers)) => return answers,
        Ok(None) => format!(
            "the registry did not answer within {} seconds, and kpt waits for little longer; put \
             its models into a ModelCatalog with `modelsync catalog refresh`",
            limit.as_secs()
        ),
        Err(error) => format!("{error:#}"),
    };
    let questions = unanswered.into_iter();
    questions
        .map(|question| (question, Err(problem.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::{MlflowSource, Source};

    #[test]
    fn waits_no_longer_than_the_limit() {
        let question = Question {
            source: Source::Mlflow(MlflowSource {
                tracking_uri: "http://127.0.0.1:9".to_owned(),
                model: Some("bot".to_owned()),
            }),
            display_name: None,
        };
        let answers = ask(vec![question.clone(), question.clone()], Duration::ZERO);
        assert_eq!(answers.len(), 2);
        for (asked, answer) in answers {
            assert_eq!(asked, question);
            let problem = answer.unwrap_err();
            assert!(
                problem.starts_with("the registry did not answer within 0 seconds"),
                "{problem}"
            );
        }
    }
}
