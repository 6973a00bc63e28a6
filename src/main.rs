//! The `modelsync` program: a doorway to [`modelsync::cli::main`].

use std::process::ExitCode;

fn main() -> ExitCode {
    modelsync::cli::main()
}
