//! `modelsync fn`: standard input to an answer.

use std::panic;

use crate::adapters::{clock, files};
use crate::core::change::Task;
use crate::core::function;
use crate::core::yaml::apply_in_place;

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
            match panic::catch_unwind(|| function::respond(&input, task, now)) {
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
