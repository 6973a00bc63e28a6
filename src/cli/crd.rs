//! `modelsync crd`.

use anyhow::Context;
use clap::Args;
use kube::CustomResourceExt;

use super::failure::Outcome;
use super::output::Printer;
use crate::core::model_sync::ModelSync;

/// Print the CustomResourceDefinition of ModelSync as YAML, for kubectl apply
#[derive(Args, Debug)]
pub(super) struct CrdArgs {}

pub(super) fn run(_: &CrdArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let yaml = serde_saphyr::to_string(&ModelSync::crd())
        .context("cannot write the CustomResourceDefinition as YAML")?;
    printer.data(yaml.as_bytes());
    Ok(Outcome::Done)
}
