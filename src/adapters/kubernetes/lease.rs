//! The Lease that says which process leads. What to write is decided in `core::leader_election`.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

use super::cluster::call;
use super::error::CallError;

/// One Lease.
#[derive(Clone)]
pub(crate) struct LeaseClient {
    api: Api<Lease>,
    /// Namespace and name, for messages.
    place: String,
    name: String,
}

impl LeaseClient {
    /// The Lease of this name; it need not be there.
    pub(crate) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            place: format!("{namespace}/{name}"),
            name: name.to_owned(),
        }
    }

    /// The error of an attempt to hold the Lease that was given up after `limit`.
    pub(crate) fn timed_out(&self, limit: Duration) -> CallError {
        CallError::timed_out(format!("hold the Lease {}", self.place), limit)
    }

    /// Reads the Lease; `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn read(&self) -> Result<Option<Lease>, CallError> {
        let doing = format!("read the Lease {}", self.place);
        call(doing, self.api.get_opt(&self.name)).await
    }

    /// Writes the Lease, if nobody has since it was read.
    ///
    /// # Errors
    /// Somebody has, or it cannot be written.
    pub(crate) async fn write(
        &self,
        read: Option<&Lease>,
        spec: LeaseSpec,
    ) -> Result<(), CallError> {
        let doing = format!("write the Lease {}", self.place);
        let parameters = PostParams::default();
        let written = match read {
            Some(lease) => {
                // With the resourceVersion that was read.
                let lease = Lease {
                    spec: Some(spec),
                    ..lease.clone()
                };
                let replaced = self.api.replace(&self.name, &parameters, &lease);
                call(doing, replaced).await
            }
            None => {
                let lease = Lease {
                    metadata: ObjectMeta {
                        name: Some(self.name.clone()),
                        ..ObjectMeta::default()
                    },
                    spec: Some(spec),
                };
                let created = self.api.create(&parameters, &lease);
                call(doing, created).await
            }
        };
        written.map(|_| ())
    }
}
