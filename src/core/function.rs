//! The KRM function: a ResourceList in, a ResourceList out.
//!
//! kpt deletes what is missing from the output and shows nothing of an output that is not a
//! ResourceList, so whatever happens, the answer holds every item that came in.

use jiff::Timestamp;

use super::change::{Batch, Models, OwnConfig, Question, Task, configs_in, run as run_configs};
use super::config::{FunctionConfig, SetModel};
use super::krm::{ResourceList, ResultItem, Severity};
use super::package::{LEGACY_PATH, Layout, PATH, Package, Part};
use super::yaml::{Splice, Stream, apply};

/// What goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For standard output.
    pub output: String,
    /// For standard error, when the function failed.
    pub error: Option<String>,
}

/// What goes out, as changes of what came in: the list is long, and its memory can be reused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// What to replace, sorted.
    pub splices: Vec<Splice>,
    /// For standard error, when the function failed.
    pub error: Option<String>,
}

/// Runs the function on what came in on standard input. `task` decides between set-model and
/// check-model; without it the kind of the function config does. No registry is asked.
#[must_use]
pub fn run(input: &str, task: Option<Task>, now: Timestamp) -> Answer {
    let response = match Call::read(input, task) {
        Ok(call) => call.respond(&Models::default(), now),
        Err(response) => response,
    };
    Answer {
        output: apply(input, &response.splices),
        error: response.error,
    }
}

/// What came in, read but not acted on: somebody may have to ask a registry first.
#[derive(Debug)]
pub struct Call<'a> {
    input: &'a str,
    list: ResourceList,
    package: Package<'a>,
    request: Result<Request, Box<ResultItem>>,
}

impl<'a> Call<'a> {
    /// Reads what came in.
    ///
    /// # Errors
    /// It is no ResourceList: what to answer then.
    pub fn read(input: &'a str, task: Option<Task>) -> Result<Self, Response> {
        let list = ResourceList::read(input).map_err(|error| Response {
            splices: Vec::new(),
            error: Some(format!("cannot read standard input: {error}")),
        })?;
        let parts = list
            .items
            .iter()
            .map(|item| Part::embedded(&input[item.range.clone()], item.column));
        let package = Package::new(Layout::ResourceList, parts);
        let request = configure(&list, input, &package, task);
        Ok(Self {
            input,
            list,
            package,
            request,
        })
    }

    /// What the configs want to know from registries; nothing when they name none.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        self.request
            .as_ref()
            .map_or(Vec::new(), |request| Question::all(&request.configs))
    }

    /// Does what the configs ask for, with what registries answered.
    #[must_use]
    pub fn respond(self, models: &Models, now: Timestamp) -> Response {
        let Self {
            input,
            list,
            package,
            request,
        } = self;
        let mut batch = match request {
            Ok(request) => run_configs(
                &package,
                &request.configs,
                &request.own,
                models,
                now,
                request.task,
            ),
            Err(error) => Batch::failure(*error),
        };
        for result in &mut batch.results {
            if let (Severity::Error, Some(position)) = (result.severity, result.position) {
                result.message.push_str(&format!(
                    " (line {}, column {} of the item)",
                    position.line, position.column
                ));
            }
        }
        let splices = batch.texts.iter().map(|(id, text)| {
            let item = &list.items[id.0];
            Splice {
                range: item.range.clone(),
                text: text[item.column..].to_owned(),
            }
        });
        let splices = list.splices(input, splices.collect(), &batch.results);
        let error = batch.failed.then(|| {
            batch
                .results
                .first()
                .map_or(String::new(), |result| result.message.clone())
        });
        Response { splices, error }
    }
}

/// What the function config asks for.
#[derive(Debug)]
struct Request {
    task: Task,
    configs: Vec<SetModel>,
    own: OwnConfig,
}

fn configure(
    list: &ResourceList,
    input: &str,
    package: &Package<'_>,
    task: Option<Task>,
) -> Result<Request, Box<ResultItem>> {
    let error = |message: String| Box::new(ResultItem::new(Severity::Error, message));
    let from_items = |task: Option<Task>, names: &[String], own| {
        let configs = configs_in(package, names)?;
        if configs.is_empty() {
            return Err(error(
                "there is no functionConfig and no SetModel among the items; give a SetModel as \
                 configPath, or key=value arguments such as setter=NAME and displayName=NAME"
                    .to_owned(),
            ));
        }
        Ok(Request {
            task: task.unwrap_or(Task::Set),
            configs,
            own,
        })
    };
    let Some(embedded) = &list.function_config else {
        return from_items(task, &[], OwnConfig::default());
    };
    let text = embedded.text(input);
    let stream = Stream::parse(&text)
        .map_err(|cause| error(format!("cannot read the functionConfig: {cause}")))?;
    let Some(root) = stream.roots().first().copied() else {
        return from_items(task, &[], OwnConfig::default());
    };
    // `kpt fn eval` without arguments sends an empty ConfigMap.
    let is_empty = stream.get_str(root, &["kind"]) == Some("ConfigMap")
        && stream
            .get(root, "data")
            .is_none_or(|data| stream.entries(data).is_empty());
    if is_empty {
        return from_items(task, &[], OwnConfig::default());
    }
    let string = |keys: &[&str]| stream.get_str(root, keys).map(str::to_owned);
    let own = OwnConfig {
        kind: string(&["kind"]),
        name: string(&["metadata", "name"]),
        path: string(&["metadata", "annotations", PATH])
            .or_else(|| string(&["metadata", "annotations", LEGACY_PATH])),
    };
    let config = FunctionConfig::from_yaml(&text, "functionConfig")
        .map_err(|cause| error(format!("cannot read the config: {cause}")))?;
    match (config, task) {
        (FunctionConfig::SetModel(config) | FunctionConfig::Flat(config), task) => Ok(Request {
            task: task.unwrap_or(Task::Set),
            configs: vec![config],
            own,
        }),
        (FunctionConfig::CheckModel(_), Some(Task::Set)) => Err(error(
            "set-model was given a CheckModel as its config; give it a SetModel".to_owned(),
        )),
        (FunctionConfig::CheckModel(config), _) => {
            from_items(Some(Task::Check), &config.set_models, own)
        }
    }
}
