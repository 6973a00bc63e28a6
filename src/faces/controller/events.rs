//! Events about ModelSyncs. They are for people; nothing depends on them.

use kube::ResourceExt;

use super::reconcile::Context;
use crate::adapters::kubernetes::Notice;
use crate::core::model_sync::ModelSync;

/// Publishes a warning.
pub(super) async fn warn(
    context: &Context,
    model_sync: &ModelSync,
    reason: &'static str,
    action: &'static str,
    note: &str,
) {
    let notice = Notice {
        reason,
        action,
        note: note.to_owned(),
        is_warning: true,
        run: None,
    };
    publish(context, model_sync, &notice).await;
}

/// Publishes an event; that it cannot be is only logged.
pub(super) async fn publish(context: &Context, model_sync: &ModelSync, notice: &Notice) {
    if notice.is_warning {
        tracing::warn!(
            namespace = model_sync.namespace(),
            name = model_sync.name_any(),
            reason = notice.reason,
            "{}",
            notice.note
        );
    }
    if let Err(error) = context.cluster.publish(model_sync, notice).await {
        tracing::warn!(%error, "an event is lost");
    }
}
