//! Addresses and networks as Go reads them (net/netip), with its errors, and what Kubernetes refuses of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::quoted::Quoted;
use crate::cel::value::Cidr;

/// An address without a zone (`parseIPAddr` of k8s.io/apiserver/pkg/cel/library/ip.go).
pub(super) fn address(text: &str) -> Result<IpAddr, String> {
    let quoted = Quoted(text);
    match parse(text) {
        Err(reason) => Err(format!("IP Address {quoted} parse error during conversion from string: {reason}")),
        Ok((_, true)) => Err(format!("IP address {quoted} with zone value is not allowed")),
        Ok((IpAddr::V6(address), false)) if address.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {quoted} is not allowed"))
        }
        Ok((address, false)) => Ok(address),
    }
}

/// A network (`parseCIDR` of k8s.io/apiserver/pkg/cel/library/cidr.go).
pub(super) fn network(text: &str) -> Result<Cidr, String> {
    let network = prefix(text)
        .map_err(|reason| format!("network address parse error during conversion from string: {reason}"))?;
    match network.address {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {} is not allowed", Quoted(text)))
        }
        _ => Ok(network),
    }
}

/// `netip.ParsePrefix`
fn prefix(text: &str) -> Result<Cidr, String> {
    let wrong = |reason: &str| Err(format!("netip.ParsePrefix({}): {reason}", Quoted(text)));
    let Some((address, bits)) = text.rsplit_once('/') else { return wrong("no '/'") };
    let address = match parse(address) {
        Err(reason) => return wrong(&reason),
        Ok((_, true)) => return wrong("IPv6 zones cannot be present in a prefix"),
        Ok((address, false)) => address,
    };
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || bits.len() > 1 && bits.starts_with('0') || bits.len() > 18 {
        return wrong(&format!("bad bits after slash: {}", Quoted(bits)));
    }
    let most = if address.is_ipv4() { 32 } else { 128 };
    match bits.parse() {
        Ok(bits) if bits <= most => Ok(Cidr { address, bits }),
        _ => wrong("prefix length out of range"),
    }
}

/// `netip.ParseAddr`: the address, and whether it has a zone.
pub(super) fn parse(text: &str) -> Result<(IpAddr, bool), String> {
    match text.bytes().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
        Some(b'.') => fields(text, text).map(|bytes| (IpAddr::V4(bytes.into()), false)),
        Some(b':') => parse_v6(text),
        Some(_) => Err(wrong(text, "missing IPv6 address", "")),
        None => Err(wrong(text, "unable to parse IP", "")),
    }
}

fn wrong(text: &str, reason: &str, at: &str) -> String {
    let text = Quoted(text);
    if at.is_empty() {
        format!("ParseAddr({text}): {reason}")
    } else {
        format!("ParseAddr({text}): {reason} (at {})", Quoted(at))
    }
}

/// The four bytes of an IPv4 address, which is `part` of `text`.
fn fields(text: &str, part: &str) -> Result<[u8; 4], String> {
    let mut bytes = [0; 4];
    let (mut value, mut digits, mut position) = (0_u16, 0, 0);
    let mut previous = b'.';
    for (index, byte) in part.bytes().enumerate() {
        let rest = part.get(index..).unwrap_or_default();
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(wrong(text, "IPv4 field has octet with leading zero", ""));
                }
                value = value * 10 + u16::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(wrong(text, "IPv4 field has value >255", ""));
                }
            }
            b'.' if previous == b'.' || rest.len() == 1 => {
                return Err(wrong(text, "IPv4 field must have at least one digit", rest));
            }
            b'.' => match bytes.get_mut(position) {
                Some(field) if position < 3 => {
                    *field = u8::try_from(value).unwrap_or_default();
                    (value, digits, position) = (0, 0, position + 1);
                }
                _ => return Err(wrong(text, "IPv4 address too long", "")),
            },
            _ => return Err(wrong(text, "unexpected character", rest)),
        }
        previous = byte;
    }
    if position < 3 {
        return Err(wrong(text, "IPv4 address too short", ""));
    }
    if let Some(last) = bytes.last_mut() {
        *last = u8::try_from(value).unwrap_or_default();
    }
    Ok(bytes)
}

fn parse_v6(text: &str) -> Result<(IpAddr, bool), String> {
    let (mut rest, zone) = match text.split_once('%') {
        Some((_, "")) => return Err(wrong(text, "zone must be a non-empty string", "")),
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let mut groups: Vec<u16> = Vec::with_capacity(8);
    let mut ellipsis = None;
    if let Some(after) = rest.strip_prefix("::") {
        ellipsis = Some(0);
        rest = after;
        if rest.is_empty() {
            return Ok((IpAddr::V6(Ipv6Addr::UNSPECIFIED), zone.is_some()));
        }
    }
    while groups.len() < 8 {
        let (group, digits) = group(text, rest)?;
        if rest.as_bytes().get(digits) == Some(&b'.') {
            if ellipsis.is_none() && groups.len() != 6 {
                let reason = "embedded IPv4 address must replace the final 2 fields of the address";
                return Err(wrong(text, reason, rest));
            }
            if groups.len() > 6 {
                let reason = "too many hex fields to fit an embedded IPv4 at the end of the address";
                return Err(wrong(text, reason, rest));
            }
            let [a, b, c, d] = fields(text, rest)?;
            groups.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
            rest = "";
            break;
        }
        groups.push(group);
        rest = rest.get(digits..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let Some(after) = rest.strip_prefix(':') else {
            return Err(wrong(text, "unexpected character, want colon", rest));
        };
        if after.is_empty() {
            return Err(wrong(text, "colon must be followed by more characters", rest));
        }
        rest = after;
        if let Some(after) = rest.strip_prefix(':') {
            if ellipsis.is_some() {
                return Err(wrong(text, "multiple :: in address", rest));
            }
            ellipsis = Some(groups.len());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return Err(wrong(text, "trailing garbage after address", rest));
    }
    match ellipsis {
        None if groups.len() < 8 => return Err(wrong(text, "address string too short", "")),
        Some(_) if groups.len() == 8 => {
            return Err(wrong(text, "the :: must expand to at least one field of zeros", ""));
        }
        Some(position) => {
            let missing = std::iter::repeat_n(0, 8 - groups.len());
            groups.splice(position..position, missing);
        }
        None => {}
    }
    let groups: [u16; 8] = groups.try_into().unwrap_or_default();
    Ok((IpAddr::V6(groups.into()), zone.is_some()))
}

/// The group that `rest` begins with, and how many digits it has.
fn group(text: &str, rest: &str) -> Result<(u16, usize), String> {
    let mut value = 0_u16;
    let mut digits = 0;
    for digit in rest.chars().map_while(|character| character.to_digit(16)) {
        if digits > 3 {
            return Err(wrong(text, "each group must have 4 or less digits", rest));
        }
        value = value << 4 | u16::try_from(digit).unwrap_or_default();
        digits += 1;
    }
    if digits == 0 {
        return Err(wrong(text, "each colon-separated field must have at least one digit", rest));
    }
    Ok((value, digits))
}

/// The address with all bits behind the first `bits` cleared.
pub(super) fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or_default();
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or_default();
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}
