//! Ctrl-C and its kin: noticed, never fatal, so that the nodes end before we do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::output::Failure;

/// A flag that Ctrl-C, SIGTERM and the end of the terminal raise.
pub(super) fn catch_signals() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = {
        let _inside = runtime.enter();
        let [a, b, c] = kinds.map(signal);
        [a?, b?, c?]
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} _ = hangup.recv() => {} }
            raised.store(true, Ordering::Relaxed);
            // The runtime lives on, so that a second signal does not end us before our nodes.
            std::future::pending::<()>().await;
        });
    });
    Ok(flag)
}
