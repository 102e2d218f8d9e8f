//! What the words of constants mean (cel-go, parser/unescape.go; strconv).

/// `12`, `0x1f`, with its sign; None outside of 64 bits.
pub(super) fn int(text: &str, negative: bool) -> Option<i64> {
    let magnitude = i128::from(magnitude(text)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// `12u`, `0x1fU`; None outside of 64 bits.
pub(super) fn uint(text: &str) -> Option<u64> {
    magnitude(text.strip_suffix(['u', 'U']).unwrap_or(text))
}

/// `1.5e3`; None if it is too large.
pub(super) fn double(text: &str, negative: bool) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(if negative { -number } else { number })
}

fn magnitude(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The text of a string literal that the lexer accepted.
///
/// # Errors
/// An escape names no character.
pub(super) fn string(literal: &str) -> Result<String, &'static str> {
    let (content, raw) = content(literal);
    if raw || !content.contains('\\') {
        return Ok(content);
    }
    let mut text = String::with_capacity(content.len());
    let mut rest = content.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let code = escape(&mut rest).code;
        text.push(char::from_u32(code).ok_or("an escape names a code point that is no character")?);
    }
    Ok(text)
}

/// The bytes of a bytes literal that the lexer accepted.
///
/// # Errors
/// An escape names a character, not a byte.
pub(super) fn bytes(literal: &str) -> Result<Vec<u8>, &'static str> {
    let (content, raw) = content(literal.strip_prefix(['b', 'B']).unwrap_or(literal));
    if raw || !content.contains('\\') {
        return Ok(content.into_bytes());
    }
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = escape(&mut rest);
        match u8::try_from(escape.code) {
            Ok(byte) if !escape.is_code_point => bytes.push(byte),
            _ => return Err("bytes have no escapes `\\u` and `\\U`, write the character itself or its bytes as `\\x`"),
        }
    }
    Ok(bytes)
}

/// What stands between the quotes, line ends normalized, and whether escapes mean nothing in it.
fn content(literal: &str) -> (String, bool) {
    let literal = literal.replace("\r\n", "\n").replace('\r', "\n");
    let unprefixed = literal.strip_prefix(['r', 'R']);
    let quoted = unprefixed.unwrap_or(&literal);
    let inner = ["'''", "\"\"\"", "'", "\""]
        .into_iter()
        .find_map(|quote| quoted.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)));
    (inner.unwrap_or_default().to_owned(), unprefixed.is_some())
}

struct Escape {
    code: u32,
    is_code_point: bool,
}

/// What stands after a backslash. The lexer has seen that it is complete.
fn escape(rest: &mut std::str::Chars<'_>) -> Escape {
    let Some(first) = rest.next() else { return Escape { code: 0, is_code_point: false } };
    let mut digits =
        |count: usize, base: u32| rest.by_ref().take(count).fold(0_u32, |code, digit| code * base + value(digit));
    let code = match first {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        'x' | 'X' => digits(2, 16),
        'u' => digits(4, 16),
        // Eight digits may not fit; beyond the last character all are alike.
        'U' => match digits(4, 16) {
            high @ 0..0x100 => (high << 16) | digits(4, 16),
            _ => u32::MAX,
        },
        '0'..='3' => value(first) * 64 + digits(2, 8),
        other => u32::from(other),
    };
    Escape { code, is_code_point: matches!(first, 'u' | 'U') }
}

fn value(digit: char) -> u32 {
    digit.to_digit(16).unwrap_or_default()
}
