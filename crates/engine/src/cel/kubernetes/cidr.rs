//! Networks (k8s.io/apiserver/pkg/cel/library/cidr.go).

use std::net::IpAddr;

use super::{address, ip};
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{Cidr, Opaque, Value};

/// `cidr`, `isCIDR`, `containsIP`, `containsCIDR`, `ip`, `prefixLength`, `masked`
pub(super) const LIBRARY: Library = Library { name: "cidr", since: Version(30), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("string_to_cidr", "cidr", &["string"], "net.CIDR", of_string),
    member("cidr_contains_ip_string", "containsIP", &["net.CIDR", "string"], "bool", contains_ip),
    member("cidr_contains_ip_ip", "containsIP", &["net.CIDR", "net.IP"], "bool", contains_ip),
    member("cidr_contains_cidr_string", "containsCIDR", &["net.CIDR", "string"], "bool", contains_cidr),
    member("cidr_contains_cidr", "containsCIDR", &["net.CIDR", "net.CIDR"], "bool", contains_cidr),
    member("cidr_ip", "ip", &["net.CIDR"], "net.IP", ip),
    member("cidr_prefix_length", "prefixLength", &["net.CIDR"], "int", prefix_length),
    member("cidr_masked", "masked", &["net.CIDR"], "net.CIDR", masked),
    global("is_cidr", "isCIDR", &["string"], "bool", is_cidr),
    global("cidr_to_string", "string", &["net.CIDR"], "string", to_string),
];

/// Reads a network; one that is none is an error of the evaluation.
fn read<'a>(context: &Context<'_, 'a>, text: &str) -> Outcome<'a, Cidr> {
    address::network(text).or_else(|reason| {
        // Upstream says it twice.
        super::refuse(context, &format!("network address parse error during conversion from string: {reason}"))
    })
}

fn value<'a>(context: &Context<'_, 'a>, network: Cidr) -> Outcome<'a> {
    Ok(Value::Opaque(Opaque::Cidr(context.keep(network)?)))
}

fn of_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    value(context, read(context, text)?)
}

fn is_cidr<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(address::network(text).is_ok()))
}

fn to_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Cidr(network))] = arguments else { return context.no_such_overload() };
    Ok(Value::String(context.text(&format!("{}/{}", network.address, network.bits))?))
}

fn contains_ip<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (network, address) = match *arguments {
        [Value::Opaque(Opaque::Cidr(network)), Value::Opaque(Opaque::Ip(address))] => (network, *address),
        [Value::Opaque(Opaque::Cidr(network)), Value::String(text)] => match address::address(text) {
            Ok(address) => (network, address),
            // As upstream, which does not say what is wrong with the text.
            Err(_) => return context.no_such_overload(),
        },
        _ => return context.no_such_overload(),
    };
    Ok(Value::Bool(is_within(address, *network)))
}

fn contains_cidr<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (network, other) = match *arguments {
        [Value::Opaque(Opaque::Cidr(network)), Value::Opaque(Opaque::Cidr(other))] => (network, *other),
        [Value::Opaque(Opaque::Cidr(network)), Value::String(text)] => (network, read(context, text)?),
        _ => return context.no_such_overload(),
    };
    Ok(Value::Bool(network.bits <= other.bits && is_within(other.address, *network)))
}

fn is_within(address: IpAddr, network: Cidr) -> bool {
    address.is_ipv4() == network.address.is_ipv4()
        && address::masked(address, network.bits) == address::masked(network.address, network.bits)
}

fn ip<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Cidr(network))] = arguments else { return context.no_such_overload() };
    ip::value(context, network.address)
}

fn prefix_length<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Cidr(network))] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(network.bits.into()))
}

fn masked<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Cidr(network))] = arguments else { return context.no_such_overload() };
    value(context, Cidr { address: address::masked(network.address, network.bits), bits: network.bits })
}
