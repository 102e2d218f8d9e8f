//! IP networks in CIDR notation, as Services and NetworkPolicies name them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: `10.0.0.0/8`, `fd00::/8`. A single address is the network that holds nothing else.
///
/// ```
/// use admittance_engine::kubernetes::network::Network;
///
/// let network = Network::parse("10.0.0.0/8").unwrap();
/// assert!(network.covers(Network::parse("10.1.2.3").unwrap()));
/// assert!(!network.covers(Network::parse("0.0.0.0/0").unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// As CIDR: `203.0.113.7/32`.
impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", masked(self.address, self.bits), self.bits)
    }
}

impl Network {
    /// Reads a network or an address. None for anything that can be read in two ways as well: numbers with leading zeros
    /// (which some read as octal), zones. An IPv4 address in IPv6 notation (`::ffff:10.0.0.1`) is that IPv4 address, as in
    /// Go's net.ParseIP.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let address: IpAddr = address.parse().ok()?;
        let longest = longest(address);
        let is_number = |bits: &str| {
            !bits.is_empty()
                && bits.bytes().all(|byte| byte.is_ascii_digit())
                && (bits.len() == 1 || !bits.starts_with('0'))
        };
        let bits = match bits {
            None => longest,
            Some(bits) if is_number(bits) => bits.parse().ok().filter(|bits| *bits <= longest)?,
            Some(_) => return None,
        };
        let canonical = address.to_canonical();
        match (address.is_ipv6() && canonical.is_ipv4(), bits) {
            (false, bits) => Some(Self { address, bits }),
            // 96 bits say that it is an IPv4 address.
            (true, 96..) => Some(Self { address: canonical, bits: bits - 96 }),
            (true, _) => None,
        }
    }

    /// Whether everything in `other` is in this network. Networks of the two families have nothing in common.
    pub fn covers(self, other: Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.bits <= other.bits
            && masked(self.address, self.bits) == masked(other.address, self.bits)
    }

    /// How many leading bits are fixed: 0 for everything, 32 or 128 for a single address.
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// Whether it is one of IPv4.
    pub const fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether bits are set behind the prefix: `10.0.0.1/8`.
    pub fn has_host_bits(self) -> bool {
        masked(self.address, self.bits) != self.address
    }
}

const fn longest(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with nothing behind the first `bits`.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn covers_what_is_inside() {
        for (outer, inner, expected) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.0.0.0/7", false),
            ("10.1.2.3/8", "10.0.0.1", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::", false),
            ("::/0", "10.0.0.1", false),
            ("fd00::/8", "fdff::1/64", true),
            ("fd00::/8", "fe00::", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("10.0.0.0/8", "::ffff:10.0.0.0/104", true),
            ("10.0.0.0/8", "::ffff:10.0.0.0/103", false),
        ] {
            assert_eq!(network(outer).covers(network(inner)), expected, "{outer} {inner}");
        }
        assert!(network("10.0.0.1/8").has_host_bits() && !network("10.0.0.1").has_host_bits());
    }

    #[test]
    fn rejects_what_can_be_read_in_two_ways() {
        for text in [
            "",
            "10.0.0",
            "010.0.0.1",
            "10.0.0.1/",
            "10.0.0.1/33",
            "10.0.0.1/08",
            "10.0.0.1/+8",
            "fe80::1%eth0",
            "::/129",
            "::ffff:0.0.0.0/95",
            "1.2.3.4.5",
            " 10.0.0.1",
            "10.0.0.1/8/8",
        ] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
