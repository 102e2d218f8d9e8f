//! Addresses (k8s.io/apiserver/pkg/cel/library/ip.go).

use std::net::IpAddr;

use super::address;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{Opaque, Value};

/// `ip`, `isIP`, `ip.isCanonical`, `family` and the kinds of addresses
pub(super) const LIBRARY: Library = Library { name: "ip", since: Version(30), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("string_to_ip", "ip", &["string"], "net.IP", of_string),
    member("ip_family", "family", &["net.IP"], "int", family),
    global("ip_is_canonical", "ip.isCanonical", &["string"], "bool", is_canonical),
    member("ip_is_unspecified", "isUnspecified", &["net.IP"], "bool", is_unspecified),
    member("ip_is_loopback", "isLoopback", &["net.IP"], "bool", is_loopback),
    member("ip_is_link_local_multicast", "isLinkLocalMulticast", &["net.IP"], "bool", is_link_local_multicast),
    member("ip_is_link_local_unicast", "isLinkLocalUnicast", &["net.IP"], "bool", is_link_local_unicast),
    member("ip_is_global_unicast", "isGlobalUnicast", &["net.IP"], "bool", is_global_unicast),
    global("is_ip", "isIP", &["string"], "bool", is_ip),
    global("ip_to_string", "string", &["net.IP"], "string", to_string),
];

/// Reads an address; one that is none is an error of the evaluation.
pub(super) fn read<'a>(context: &Context<'_, 'a>, text: &str) -> Outcome<'a, IpAddr> {
    address::address(text).or_else(|reason| super::refuse(context, &reason))
}

pub(super) fn value<'a>(context: &Context<'_, 'a>, address: IpAddr) -> Outcome<'a> {
    Ok(Value::Opaque(Opaque::Ip(context.keep(address)?)))
}

fn of_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    value(context, read(context, text)?)
}

fn is_canonical<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(read(context, text)?.to_string() == text))
}

fn is_ip<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(address::address(text).is_ok()))
}

fn to_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Ip(address))] = arguments else { return context.no_such_overload() };
    Ok(Value::String(context.text(&address.to_string())?))
}

fn family<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Ip(address))] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 }))
}

/// Asks the address.
fn is<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], test: fn(IpAddr) -> bool) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Ip(address))] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(test(*address)))
}

fn is_unspecified<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    is(context, arguments, |address| address.is_unspecified())
}

fn is_loopback<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    is(context, arguments, |address| address.is_loopback())
}

fn is_link_local_multicast<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    is(context, arguments, |address| match address {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
    })
}

fn is_link_local_unicast<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    is(context, arguments, link_local_unicast)
}

fn link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80),
    }
}

fn is_global_unicast<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    is(context, arguments, |address| {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        !is_broadcast
            && !address.is_unspecified()
            && !address.is_loopback()
            && !address.is_multicast()
            && !link_local_unicast(address)
    })
}
