//! URLs as Go reads them (net/url), with its errors.

use super::address;
use super::quoted::Quoted;

/// What of a URL the functions return (`url.URL`). Text that was escaped is held in bytes: they need not be UTF-8.
#[derive(Debug, Default)]
pub(super) struct Parsed<'t> {
    pub(super) scheme: String,
    opaque: &'t str,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    pub(super) host: Vec<u8>,
    path: Vec<u8>,
    raw_path: &'t str,
    pub(super) raw_query: &'t str,
    forces_query: bool,
    omits_host: bool,
    fragment: Vec<u8>,
    raw_fragment: &'t str,
}

/// What a part of a URL is: which characters stand in it unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Host,
    Zone,
    UserPassword,
    QueryComponent,
    Fragment,
}

/// Whether the byte is written with a `%` in such a part.
fn is_escaped(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Path => b"$&+,/:;=@",
        Part::UserPassword => b"$&+,;=",
        Part::QueryComponent => b"",
        Part::Fragment => b"!$&()*+,/:;=?@",
        Part::Host | Part::Zone => b"!\"$&'()*+,:;<=>[]",
    };
    !allowed.contains(&byte)
}

/// `unescape`
pub(super) fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        position += 1;
        match byte {
            b'%' => {
                let hex = |at: usize| bytes.get(at).and_then(|&digit| char::from(digit).to_digit(16));
                let (Some(high), Some(low)) = (hex(position), hex(position + 1)) else {
                    return Err(escape_error(bytes, position - 1));
                };
                let value = u8::try_from(high * 16 + low).unwrap_or_default();
                let is_refused = match part {
                    Part::Host => high < 8 && value != b'%',
                    Part::Zone => value != b'%' && value != b' ' && is_escaped(value, Part::Host),
                    _ => false,
                };
                if is_refused {
                    return Err(escape_error(bytes, position - 1));
                }
                unescaped.push(value);
                position += 2;
            }
            b'+' if part == Part::QueryComponent => unescaped.push(b' '),
            _ => {
                if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && is_escaped(byte, part) {
                    let character = char::from(byte).to_string();
                    return Err(format!("invalid character {} in host name", Quoted(&character)));
                }
                unescaped.push(byte);
            }
        }
    }
    Ok(unescaped)
}

fn escape_error(bytes: &[u8], at: usize) -> String {
    let shown = bytes.get(at..bytes.len().min(at + 3)).unwrap_or_default();
    format!("invalid URL escape {}", Quoted(&go_text(shown)))
}

/// `escape`
fn escape(bytes: &[u8], part: Part) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for &byte in bytes {
        if is_escaped(byte, part) {
            escaped.push('%');
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default().to_ascii_uppercase();
            escaped.extend([digit(byte >> 4), digit(byte & 15)]);
        } else {
            escaped.push(byte.into());
        }
    }
    escaped
}

/// Bytes as text: each that is not UTF-8 becomes U+FFFD, as where Go reads a string.
pub(super) fn go_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// `url.ParseRequestURI`
pub(super) fn parse_request_uri(text: &str) -> Result<Parsed<'_>, String> {
    parse(text, true).map_err(|reason| format!("parse {}: {reason}", Quoted(text)))
}

/// `url.Parse`
pub(super) fn parse_reference(text: &str) -> Result<Parsed<'_>, String> {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let mut url = parse(rest, false).map_err(|reason| format!("parse {}: {reason}", Quoted(rest)))?;
    url.fragment = unescape(fragment, Part::Fragment).map_err(|reason| format!("parse {}: {reason}", Quoted(text)))?;
    url.raw_fragment = if fragment == escape(&url.fragment, Part::Fragment) { "" } else { fragment };
    Ok(url)
}

fn parse(text: &str, is_request: bool) -> Result<Parsed<'_>, String> {
    let wrong = |reason: &str| Err(reason.to_owned());
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return wrong("net/url: invalid control character in URL");
    }
    if text.is_empty() && is_request {
        return wrong("empty url");
    }
    let mut url = Parsed::default();
    if text == "*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let Some((scheme, mut rest)) = split_scheme(text) else { return wrong("missing protocol scheme") };
    url.scheme = scheme.to_ascii_lowercase();
    match rest.split_once('?') {
        Some((before, "")) => {
            url.forces_query = true;
            rest = before;
        }
        Some((before, query)) => (rest, url.raw_query) = (before, query),
        None => {}
    }
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            url.opaque = rest;
            return Ok(url);
        }
        if is_request {
            return wrong("invalid URI for request");
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return wrong("first path segment in URL cannot contain colon");
        }
    }
    let may_have_host = !url.scheme.is_empty() || !is_request && !rest.starts_with("///");
    if let Some(authority) = rest.strip_prefix("//").filter(|_| may_have_host) {
        let end = authority.find('/').unwrap_or(authority.len());
        let (authority, path) = authority.split_at_checked(end).unwrap_or((authority, ""));
        rest = path;
        parse_authority(&mut url, authority)?;
    } else if !url.scheme.is_empty() {
        url.omits_host = true;
    }
    url.path = unescape(rest, Part::Path)?;
    url.raw_path = if rest == escape(&url.path, Part::Path) { "" } else { rest };
    Ok(url)
}

/// The scheme and what follows its colon. None: nothing stands before the colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if position > 0 => {}
            b':' if position == 0 => return None,
            b':' => return text.split_once(':'),
            _ => break,
        }
    }
    Some(("", text))
}

fn parse_authority(url: &mut Parsed<'_>, authority: &str) -> Result<(), String> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    url.host = parse_host(&url.scheme, host)?;
    let Some(user) = user else { return Ok(()) };
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(is_valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    url.user = Some(match user.split_once(':') {
        None => (unescape(user, Part::UserPassword)?, None),
        Some((name, password)) => (unescape(name, Part::UserPassword)?, Some(unescape(password, Part::UserPassword)?)),
    });
    Ok(())
}

fn parse_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    if let Some(open) = host.rfind('[') {
        let bracketed = if open == 0 { host.get(1..) } else { None };
        let Some(bracketed) = bracketed else { return Err("invalid IP-literal".to_owned()) };
        let Some((name, port)) = bracketed.rsplit_once(']') else { return Err("missing ']' in host".to_owned()) };
        check_port(port)?;
        let port = unescape(port, Part::Host)?;
        let zone_at = name.find("%25").unwrap_or(name.len());
        let (name, zone) = name.split_at_checked(zone_at).unwrap_or((name, ""));
        let mut unescaped = unescape(name, Part::Host)?;
        unescaped.extend(unescape(zone, Part::Zone)?);
        match address::parse(&go_text(&unescaped)) {
            Err(reason) => return Err(format!("invalid host: {reason}")),
            Ok((address, _)) if address.is_ipv4() => return Err("invalid IP-literal".to_owned()),
            Ok(_) => {}
        }
        return Ok([b"[", unescaped.as_slice(), b"]", port.as_slice()].concat());
    }
    if let Some(first) = host.find(':') {
        let is_web = scheme == "http" || scheme == "https";
        let colon = if is_web { first } else { host.rfind(':').unwrap_or(first) };
        check_port(host.get(colon..).unwrap_or_default())?;
    }
    unescape(host, Part::Host)
}

fn check_port(port: &str) -> Result<(), String> {
    if is_port(port.as_bytes()) { Ok(()) } else { Err(format!("invalid port {} after host", Quoted(port))) }
}

/// Nothing, or a colon and digits, if any.
fn is_port(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Host and port of `host:port`, without the brackets around an address.
pub(super) fn split_port(host: &str) -> (&str, &str) {
    let (mut name, mut port) = (host, "");
    if let Some((before, after)) =
        host.rsplit_once(':').filter(|(_, after)| after.bytes().all(|byte| byte.is_ascii_digit()))
    {
        (name, port) = (before, after);
    }
    (name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name), port)
}

impl Parsed<'_> {
    /// `EscapedPath`
    pub(super) fn escaped_path(&self) -> String {
        if is_written(self.raw_path, &self.path, Part::Path) {
            return self.raw_path.to_owned();
        }
        if self.path == b"*" { "*".to_owned() } else { escape(&self.path, Part::Path) }
    }

    /// `String`
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        if self.opaque.is_empty() {
            self.print_hierarchy(&mut text);
        } else {
            text.push_str(self.opaque);
        }
        if self.forces_query || !self.raw_query.is_empty() {
            text.push('?');
            text.push_str(self.raw_query);
        }
        if !self.fragment.is_empty() {
            text.push('#');
            if is_written(self.raw_fragment, &self.fragment, Part::Fragment) {
                text.push_str(self.raw_fragment);
            } else {
                text.push_str(&escape(&self.fragment, Part::Fragment));
            }
        }
        text
    }

    fn print_hierarchy(&self, text: &mut String) {
        let is_named = !self.host.is_empty() || self.user.is_some();
        if is_named || !self.scheme.is_empty() && !self.omits_host {
            if is_named || !self.path.is_empty() {
                text.push_str("//");
            }
            if let Some((name, password)) = &self.user {
                text.push_str(&escape(name, Part::UserPassword));
                if let Some(password) = password {
                    text.push(':');
                    text.push_str(&escape(password, Part::UserPassword));
                }
                text.push('@');
            }
            text.push_str(&escape(&self.host, Part::Host));
        }
        let path = self.escaped_path();
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            text.push('/');
        }
        if text.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
            text.push_str("./");
        }
        text.push_str(&path);
    }
}

/// Whether a part that could be written in another way is kept as it was.
fn is_written(raw: &str, plain: &[u8], part: Part) -> bool {
    let is_valid = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !is_escaped(byte, part);
    !raw.is_empty() && raw.bytes().all(is_valid) && unescape(raw, part).is_ok_and(|unescaped| unescaped == plain)
}
