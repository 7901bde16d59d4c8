//! How much one caller may ask: a bucket for every token, and one for every address that has none.
//!
//! Who has a valid token is measured by it alone. So whoever floods the node with wrong ones, from the same address or
//! behind the same proxy, keeps nobody out. The limits are far above what a case system does, and below what would keep
//! the node from others.
//!
//! Not here: limits of size and time ([`super::body`], [`mod@super::serve`]), and sign-in of people.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};

use super::{Peer, Problem};

/// Requests that a token may make at once, and per second when it goes on.
const TOKEN: Rate = Rate { burst: 1_000, per_second: 100 };
/// The same of an address without a valid token.
const ADDRESS: Rate = Rate { burst: 200, per_second: 10 };
/// Callers that are told apart, of each kind; further ones share one bucket.
const MAX_CALLERS: usize = 10_000;

/// One subscriber has a whole /64 of IPv6 addresses.
fn place(Peer(address): Peer) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        four @ IpAddr::V4(_) => four,
    }
}

/// How much may be asked.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u32,
    per_second: u32,
}

impl Rate {
    /// What one request takes.
    fn one(self) -> Duration {
        Duration::from_secs(1) / self.per_second
    }

    /// In which an empty bucket fills.
    fn whole(self) -> Duration {
        self.one() * self.burst
    }
}

/// The buckets of callers of one kind. Each is the moment at which it is full again.
#[derive(Debug)]
struct Buckets<K> {
    rate: Rate,
    full_at: Mutex<HashMap<Option<K>, Instant>>,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, full_at: Mutex::default() }
    }

    /// Takes one request out of a caller's bucket, or says how long until it has one.
    fn take(&self, caller: K, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut caller = Some(caller);
        if full_at.len() >= MAX_CALLERS && !full_at.contains_key(&caller) {
            full_at.retain(|_, full_at| *full_at > now);
            if full_at.len() >= MAX_CALLERS {
                caller = None;
            }
        }
        let full = full_at.entry(caller).or_insert(now);
        let then = (*full).max(now) + self.rate.one();
        let missing = then.duration_since(now).saturating_sub(self.rate.whole());
        if missing.is_zero() {
            *full = then;
            Ok(())
        } else {
            Err(missing)
        }
    }
}

/// The limits of one node's API.
#[derive(Debug)]
pub(super) struct Limits {
    tokens: Buckets<String>,
    addresses: Buckets<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tokens: Buckets::new(TOKEN), addresses: Buckets::new(ADDRESS) }
    }
}

impl Limits {
    /// A request with this valid token.
    pub(super) fn token(parts: &Parts, id: &str) -> Result<(), Problem> {
        let Some(limits) = parts.extensions.get::<Arc<Self>>() else { return Ok(()) };
        limits.tokens.take(id.to_owned(), Instant::now()).map_err(too_many)
    }

    /// A request without one.
    pub(super) fn stranger(parts: &Parts) -> Result<(), Problem> {
        let Some(limits) = parts.extensions.get::<Arc<Self>>() else { return Ok(()) };
        let Some(peer) = parts.extensions.get::<Peer>() else { return Ok(()) };
        limits.addresses.take(place(*peer), Instant::now()).map_err(too_many)
    }
}

/// An extractor for what anybody may ask.
#[derive(Debug)]
pub(super) struct Anybody;

impl<S: Send + Sync> FromRequestParts<S> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Limits::stranger(parts).map(|()| Self)
    }
}

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests; see the header Retry-After.")
        .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2 };

    #[test]
    fn a_bucket_has_its_burst_then_its_rate_and_fills_again() {
        let (buckets, now) = (Buckets::new(RATE), Instant::now());
        let take = |after: u64| buckets.take("a", now + Duration::from_millis(after));
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(Duration::from_millis(500)));
        assert_eq!(take(400), Err(Duration::from_millis(100)), "who is refused pays nothing");
        assert_eq!((take(500), take(500)), (Ok(()), Err(Duration::from_millis(500))));
        assert_eq!(buckets.take("b", now), Ok(()), "another has a bucket of its own");
        assert_eq!([take(60_000), take(60_000), take(60_000)], [Ok(()); 3]);
        assert!(take(60_000).is_err(), "no more than full");
    }

    #[test]
    fn memory_is_bounded_and_known_callers_keep_their_own_bucket() {
        let (buckets, now) = (Buckets::new(RATE), Instant::now());
        assert!(
            (0..2 * MAX_CALLERS).filter(|caller| buckets.take(*caller, now).is_ok()).count() > MAX_CALLERS
        );
        assert!(buckets.full_at.lock().unwrap().len() <= MAX_CALLERS + 1);
        assert!(buckets.take(3 * MAX_CALLERS, now).is_err(), "the rest share one");
        assert_eq!(buckets.take(1, now), Ok(()));
        assert_eq!(
            buckets.take(3 * MAX_CALLERS, now + Duration::from_secs(2)),
            Ok(()),
            "full ones are forgotten"
        );
        assert!(buckets.full_at.lock().unwrap().len() < 10);
    }

    #[test]
    fn addresses_of_one_subscriber_are_one() {
        let place = |text: &str| place(Peer(text.parse().unwrap()));
        assert_eq!(place("2001:db8::1"), place("2001:db8::ffff:1"));
        assert_ne!(place("2001:db8::1"), place("2001:db8:0:1::1"));
        assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
        assert_ne!(place("192.0.2.1"), place("192.0.2.2"));
    }
}
