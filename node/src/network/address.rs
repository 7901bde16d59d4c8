//! Addresses as the covenant gives them, made ready to dial: names looked up by the system, TCP first.

use std::net::IpAddr;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// A name that takes longer is left out.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// IP addresses to dial, TCP first. A name may give several.
pub(super) async fn resolve(addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let mut resolved = Vec::with_capacity(addresses.len());
    for address in addresses {
        match name_of(&address) {
            None => resolved.push(address),
            Some(name) => resolved.extend(look_up(&name, &address).await),
        }
    }
    tcp_first(resolved)
}

/// TCP before QUIC: its handshake is the faster one.
pub(super) fn tcp_first(mut addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
    addresses.sort_by_key(|address| !is_tcp(address));
    addresses
}

/// Whether the address starts with a name instead of an IP address.
pub(super) fn is_name(address: &Multiaddr) -> bool {
    name_of(address).is_some()
}

fn name_of(address: &Multiaddr) -> Option<String> {
    match address.iter().next() {
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => Some(name.into_owned()),
        _ => None,
    }
}

fn is_tcp(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, Protocol::Tcp(_)))
}

async fn look_up(name: &str, address: &Multiaddr) -> Vec<Multiaddr> {
    let looked_up = tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((name, 0))).await;
    let Ok(Ok(found)) = looked_up else {
        tracing::debug!(name, "name not found");
        return Vec::new();
    };
    found.filter_map(|socket| with_ip(address, socket.ip())).collect()
}

/// The address with `ip` for its name; `None` if the address asks for the other IP version.
fn with_ip(address: &Multiaddr, ip: IpAddr) -> Option<Multiaddr> {
    let wanted = match address.iter().next()? {
        Protocol::Dns4(_) => ip.is_ipv4(),
        Protocol::Dns6(_) => ip.is_ipv6(),
        _ => true,
    };
    wanted.then(|| std::iter::once(Protocol::from(ip)).chain(address.iter().skip(1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_looked_up_and_tcp_comes_first() {
        let addresses =
            ["/ip4/127.0.0.1/udp/4001/quic-v1", "/dns4/localhost/tcp/4001", "/ip4/127.0.0.1/tcp/4002"];
        let resolved = resolve(addresses.iter().map(|text| text.parse().unwrap()).collect()).await;
        let expected =
            ["/ip4/127.0.0.1/tcp/4001", "/ip4/127.0.0.1/tcp/4002", "/ip4/127.0.0.1/udp/4001/quic-v1"];
        assert_eq!(resolved.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_name_of_one_ip_version_takes_no_other() {
        let address: Multiaddr = "/dns6/kring.example/udp/4001/quic-v1".parse().unwrap();
        assert_eq!(with_ip(&address, "192.0.2.1".parse().unwrap()), None);
        let found = with_ip(&address, "2001:db8::1".parse().unwrap()).unwrap();
        assert_eq!(found.to_string(), "/ip6/2001:db8::1/udp/4001/quic-v1");
    }
}
