//! The operations listener: health, readiness, metrics. For a loopback address; it knows no tokens.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;
use serde_json::json;

use super::Application;
use crate::network::NetworkMetrics;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `/healthz`: the process runs. `/readyz`: it can do its work, or what is missing. `/metrics`: OpenMetrics.
pub fn router<A: Application>(application: Arc<A>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready::<A>))
        .route("/metrics", get(metrics::<A>))
        .with_state(application)
}

async fn ready<A: Application>(State(application): State<Arc<A>>) -> impl IntoResponse {
    match application.ready().await {
        Ok(()) => (StatusCode::OK, Json(json!({"ready": true, "missing": []}))),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"ready": false, "missing": missing}))),
    }
}

async fn metrics<A: Application>(State(application): State<Arc<A>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPENMETRICS)], application.metrics().await)
}

/// A registry as OpenMetrics text, for [`Application::metrics`].
#[must_use]
pub fn encode(registry: &Registry) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).expect("writing to a string cannot fail");
    text
}

/// Shows the network's counters in a registry.
#[derive(Debug)]
pub struct NetworkCollector(pub Arc<NetworkMetrics>);

impl NetworkCollector {
    fn counters(&self) -> [(&'static str, &'static str, &AtomicU64); 10] {
        let metrics = &*self.0;
        [
            ("kring_network_requests_sent", "Requests sent to members", &metrics.requests_out),
            (
                "kring_network_requests_failed",
                "Requests to members that failed",
                &metrics.requests_out_failed,
            ),
            (
                "kring_network_requests_received",
                "Requests of members handed to the node",
                &metrics.requests_in,
            ),
            (
                "kring_network_requests_refused",
                "Requests of members over a limit",
                &metrics.requests_in_refused,
            ),
            ("kring_network_sent_bytes", "Bytes of messages sent", &metrics.bytes_out),
            ("kring_network_received_bytes", "Bytes of messages received", &metrics.bytes_in),
            ("kring_network_strangers_refused", "Connections of unknown keys", &metrics.strangers_refused),
            ("kring_network_connections_refused", "Connections over a limit", &metrics.connections_refused),
            ("kring_network_dials", "Dials started", &metrics.dials),
            ("kring_network_dials_failed", "Dials that reached no one", &metrics.dials_failed),
        ]
    }
}

impl Collector for NetworkCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, counter) in self.counters() {
            let value = ConstCounter::new(counter.load(Ordering::Relaxed));
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_counters_are_openmetrics() {
        let metrics = Arc::new(NetworkMetrics::default());
        metrics.strangers_refused.store(3, Ordering::Relaxed);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(NetworkCollector(metrics)));
        let text = encode(&registry);
        assert!(text.contains("# TYPE kring_network_strangers_refused counter\n"), "{text}");
        assert!(text.contains("\nkring_network_strangers_refused_total 3\n"), "{text}");
        assert_eq!(text.matches("# TYPE").count(), 10);
        assert!(text.ends_with("# EOF\n"));
    }
}
