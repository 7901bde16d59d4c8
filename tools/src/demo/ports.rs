//! Free ports for the demonstration's nodes, held until each node takes its own.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;

use kring_node::founding::Ports;
use rand::Rng;

use crate::output::Failure;

/// Where a search without --port begins: below the ports that systems give to outgoing connections, and not always at
/// the same place, so that demonstrations side by side seldom meet.
const BASES: std::ops::Range<u16> = 20_000..30_000;

/// Three ports that nobody else can take before they are released.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) ports: Ports,
    held: Vec<Socket>,
}

#[derive(Debug)]
#[allow(dead_code, reason = "held, never used")]
enum Socket {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Reserved {
    /// Lets go, so that the node can listen.
    pub(super) fn release(&mut self) {
        self.held.clear();
    }
}

/// Reserves ports for `count` nodes from `first` upward, passing over those in use: first every node's API, so that
/// they are easy to find, then operations and members.
pub(super) fn reserve(count: usize, first: Option<u16>) -> Result<Vec<Reserved>, Failure> {
    let first = first.unwrap_or_else(|| rand::thread_rng().gen_range(BASES));
    let mut candidates = first..=u16::MAX;
    let mut take = |udp: bool| -> Result<Vec<(u16, Vec<Socket>)>, Failure> {
        (0..count).map(|_| next(&mut candidates, udp)).collect()
    };
    let (apis, operations, members) = (take(false)?, take(false)?, take(true)?);
    let reserved =
        apis.into_iter().zip(operations).zip(members).map(|((api, operations), members)| Reserved {
            ports: Ports { members: members.0, api: api.0, operations: operations.0 },
            held: api.1.into_iter().chain(operations.1).chain(members.1).collect(),
        });
    Ok(reserved.collect())
}

fn next(candidates: &mut RangeInclusive<u16>, udp: bool) -> Result<(u16, Vec<Socket>), Failure> {
    candidates
        .find_map(|port| Some((port, bind(port, udp)?)))
        .ok_or_else(|| Failure::Work("no free ports left; choose a lower --port".to_owned()))
}

fn bind(port: u16, udp: bool) -> Option<Vec<Socket>> {
    let mut held = vec![Socket::Tcp(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?)];
    if udp {
        held.push(Socket::Udp(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?));
    }
    Some(held)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ports_in_use_are_passed_over_and_held_ones_are_free_again() {
        let mut first = reserve(2, None).unwrap();
        let base = first[0].ports.api;
        let second = reserve(6, Some(base)).unwrap();
        let all = first.iter().chain(&second).map(|reserved| reserved.ports);
        let distinct: BTreeSet<_> =
            all.flat_map(|ports| [ports.api, ports.operations, ports.members]).collect();
        assert_eq!(distinct.len(), 24);
        first[0].release();
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, base)).is_ok());
    }

    #[test]
    fn the_apis_come_first() {
        let reserved = reserve(3, None).unwrap();
        let apis: Vec<_> = reserved.iter().map(|reserved| reserved.ports.api).collect();
        assert!(apis.is_sorted() && apis[2] < reserved[0].ports.operations);
    }

    #[test]
    fn running_out_of_ports_is_said() {
        assert!(matches!(reserve(12, Some(65_530)), Err(Failure::Work(_))));
    }
}
