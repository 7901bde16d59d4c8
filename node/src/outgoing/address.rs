//! Which addresses a webhook may reach: the public internet, and what an operator has named beside it.
//!
//! A name is no promise: whoever writes its zone can let it point anywhere at any time. So not names are judged but the
//! addresses to which a connection is made, each time ([`super::connect`]). What is let through is listed, not what is
//! refused, as far as the registries (RFC 6890, RFC 8190) allow.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What an address is, if it is not one of the public internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// This machine (127.0.0.0/8, ::1).
    Loopback,
    /// An organisation's own network (10/8, 172.16/12, 192.168/16, fc00::/7), or a provider's (100.64/10).
    Private,
    /// Whatever else is not a host on the internet: link-local, multicast, broadcast, documentation, reserved, and IPv6
    /// forms that hold an IPv4 address. No exception reaches these.
    Never,
}

/// Where clouds answer with the machine's own secrets, other than on link-local addresses.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// What an address is; none for one of the public internet.
#[must_use]
pub fn inside(address: IpAddr) -> Option<Inside> {
    match address {
        IpAddr::V4(address) => inside_v4(address),
        IpAddr::V6(address) => inside_v6(address),
    }
}

fn inside_v4(address: Ipv4Addr) -> Option<Inside> {
    if METADATA_V4.contains(&address) {
        return Some(Inside::Never);
    }
    let octets = address.octets();
    match octets {
        [127, ..] => Some(Inside::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Some(Inside::Private),
        [0 | 224.., ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Some(Inside::Never),
        _ => None,
    }
}

fn inside_v6(address: Ipv6Addr) -> Option<Inside> {
    if address == Ipv6Addr::LOCALHOST {
        return Some(Inside::Loopback);
    }
    if address == METADATA_V6 {
        return Some(Inside::Never);
    }
    let segments = address.segments();
    let isatap = matches!(segments[4..6], [0 | 0x200, 0x5efe]);
    match segments {
        [0xfc00..=0xfdff, ..] => Some(Inside::Private),
        // IETF assignments with Teredo, documentation, 6to4, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            Some(Inside::Never)
        }
        [0x2000..=0x3fff, ..] if !isatap => None,
        _ => Some(Inside::Never),
    }
}

/// Some addresses: one, or a small network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    first: IpAddr,
    bits: u32,
}

impl Net {
    /// Whether an address is one of them. An IPv4 address in an IPv6 form is not.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                (first.to_bits() ^ address.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                (first.to_bits() ^ address.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// The widest exceptions: a few machines, not a network of all.
const WIDEST_V4: u32 = 24;
const WIDEST_V6: u32 = 120;

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |problem: &str| format!("{text:?} {problem}; write an address such as 10.1.2.3/32");
        let (address, bits) = text.split_once('/').ok_or_else(|| wrong("has no length"))?;
        let first: IpAddr = address.parse().map_err(|_| wrong("is not an address"))?;
        let bits: u32 = bits.parse().map_err(|_| wrong("has no whole number as its length"))?;
        let (widest, most) = if first.is_ipv4() { (WIDEST_V4, 32) } else { (WIDEST_V6, 128) };
        if !(widest..=most).contains(&bits) {
            return Err(wrong(&format!("is too wide or too long: /{widest} to /{most}")));
        }
        if !matches!(inside(first), Some(Inside::Loopback | Inside::Private)) {
            return Err(wrong("is not an address of this machine or of an own network"));
        }
        Ok(Self { first, bits })
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// Whether a connection may be made to an address.
#[must_use]
pub fn may_reach(address: IpAddr, exceptions: &[Net]) -> bool {
    match inside(address) {
        None => true,
        Some(Inside::Never) => false,
        Some(Inside::Loopback | Inside::Private) => exceptions.iter().any(|net| net.contains(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_public_internet_may_be_reached_up_to_its_edges() {
        for outside in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2a00:1450:400e::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "3ffe::1",
        ] {
            assert!(may_reach(address(outside), &[]), "{outside}");
        }
    }

    #[test]
    fn what_is_inside_is_not_up_to_its_edges() {
        for refused in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "2a00::5efe:10.0.0.1",
            "2a00::200:5efe:a00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "4000::1",
        ] {
            assert!(!may_reach(address(refused), &[]), "{refused}");
        }
    }

    #[test]
    fn an_exception_opens_exactly_what_it_names_and_never_what_is_nobodys() {
        let nets: Vec<Net> =
            ["10.1.2.3/32", "127.0.0.0/24", "fd00:1::8/126", "192.168.7.0/24", "169.254.169.254/32"]
                .into_iter()
                .filter_map(|net| net.parse().ok())
                .collect();
        assert_eq!(nets.len(), 4, "link-local is no exception");
        for open in ["10.1.2.3", "127.0.0.1", "127.0.0.255", "fd00:1::b", "192.168.7.9"] {
            assert!(may_reach(address(open), &nets), "{open}");
        }
        for closed in
            ["10.1.2.4", "127.0.1.0", "fd00:1::c", "192.168.8.0", "::ffff:10.1.2.3", "::1", "0.0.0.0"]
        {
            assert!(!may_reach(address(closed), &nets), "{closed}");
        }
        let whole = [Net { first: address("0.0.0.0"), bits: 0 }, Net { first: address("::"), bits: 0 }];
        for never in ["169.254.169.254", "224.0.0.1", "::ffff:10.1.2.3", "fd00:ec2::254", "2002:a00:1::"] {
            assert!(!may_reach(address(never), &whole), "{never}");
        }
    }

    #[test]
    fn an_exception_that_is_too_much_is_refused_with_its_reason() {
        for (text, reason) in [
            ("10.0.0.0/8", "too wide"),
            ("10.1.2.3", "has no length"),
            ("10.1.2.3/33", "too wide or too long"),
            ("fd00::/64", "too wide"),
            ("8.8.8.8/32", "not an address of this machine"),
            ("169.254.169.254/32", "not an address of this machine"),
            ("::ffff:10.1.2.3/128", "not an address of this machine"),
            ("case.example/32", "is not an address"),
            ("10.1.2.3/x", "whole number"),
        ] {
            let error = text.parse::<Net>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
