//! How much has left the node: counts by way, and nothing of whom or what about.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// What one way has done since the node started, and what waits.
#[derive(Debug, Default)]
pub struct Way {
    /// Taken by the other side.
    pub delivered: AtomicU64,
    /// Attempts that failed, to be made again.
    pub failed: AtomicU64,
    /// Given up: too old, or too much waiting.
    pub dropped: AtomicU64,
    /// Waiting now.
    pub waiting: AtomicU64,
}

/// All ways.
#[derive(Debug, Default)]
pub struct Meters {
    /// Webhooks, all together.
    pub webhooks: Way,
    /// Mail.
    pub mail: Way,
    /// Happenings for which there was nobody to be mailed.
    pub nobody: AtomicU64,
    /// Streams of events that are open.
    pub streams: AtomicU64,
}

/// One more.
pub(super) fn count(meter: &AtomicU64) {
    meter.fetch_add(1, Ordering::Relaxed);
}

/// Shows [`Meters`] in a registry.
#[derive(Debug)]
pub struct OutgoingCollector(pub Arc<Meters>);

impl Collector for OutgoingCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Meters { webhooks, mail, nobody, streams } = &*self.0;
        let counters = [
            ("kring_webhooks_delivered", "Webhooks that were taken, since start", &webhooks.delivered),
            ("kring_webhooks_failed", "Attempts at webhooks that failed, since start", &webhooks.failed),
            ("kring_webhooks_dropped", "Webhooks that were given up, since start", &webhooks.dropped),
            ("kring_mails_delivered", "Mails that the mail server took, since start", &mail.delivered),
            ("kring_mails_failed", "Attempts at mails that failed, since start", &mail.failed),
            ("kring_mails_dropped", "Mails that were given up, since start", &mail.dropped),
            ("kring_mails_nobody", "Happenings that nobody could be mailed about, since start", nobody),
        ];
        for (name, help, counter) in counters {
            let value = ConstCounter::new(counter.load(Ordering::Relaxed));
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        let gauges = [
            ("kring_webhooks_waiting", "Webhooks that wait", &webhooks.waiting),
            ("kring_mails_waiting", "Mails that wait to be sent", &mail.waiting),
            ("kring_event_streams", "Streams of events that are open", streams),
        ];
        for (name, help, gauge) in gauges {
            let value = ConstGauge::new(i64::try_from(gauge.load(Ordering::Relaxed)).unwrap_or(i64::MAX));
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
