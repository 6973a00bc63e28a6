//! One file for each way of running: observe (adapters), decide (core), act (adapters).

pub(crate) mod catalog;
pub(crate) mod check;
pub(crate) mod controller;
pub(crate) mod directory;
pub(crate) mod function;
pub(crate) mod models;
pub(crate) mod probes;
pub(crate) mod propose;
pub(crate) mod serve;
pub(crate) mod shutdown;
