//! Constant lists behind `in`, as sets (cel-go, interpreter/decorators.go `maybeOptimizeSetMembership`).

use crate::cel::constant::Constant;
use crate::cel::value::Value;
use crate::cel::value::{whole_int, whole_uint};
use crate::seedless::HashSet;

/// Up to here strings are compared one by one.
const SCANNED: usize = 12;

/// The values of a constant list. A value is in it where it is of the very type and equal, or where upstream put in its
/// conversion: of an int the double nearest to it, of a whole double the int.
#[derive(Debug, Default)]
pub(super) struct Membership {
    few: Box<[Box<str>]>,
    many: HashSet<Box<str>>,
    ints: Box<[i64]>,
    uints: Box<[u64]>,
    /// Bits, of 0.0 for -0.0.
    doubles: Box<[u64]>,
    has_false: bool,
    has_true: bool,
}

impl Membership {
    /// The set of these; None where one of them is no bool, number or string.
    #[expect(clippy::cast_precision_loss, reason = "as upstream")]
    pub(super) fn of(constants: &[Constant]) -> Option<Self> {
        let (mut strings, mut ints, mut uints, mut doubles) = (vec![], vec![], vec![], vec![]);
        let (mut has_false, mut has_true) = (false, false);
        for constant in constants {
            match constant {
                Constant::Bool(false) => has_false = true,
                Constant::Bool(true) => has_true = true,
                Constant::String(text) => strings.push(text.clone()),
                Constant::Int(value) => {
                    ints.push(*value);
                    doubles.push(bits(*value as f64));
                    uints.extend(u64::try_from(*value).ok());
                }
                Constant::Uint(value) => {
                    uints.push(*value);
                    doubles.push(bits(*value as f64));
                    ints.extend(i64::try_from(*value).ok());
                }
                Constant::Double(value) => {
                    if !value.is_nan() {
                        doubles.push(bits(*value));
                    }
                    ints.extend(whole_int(*value));
                    uints.extend(whole_uint(*value));
                }
                _ => return None,
            }
        }
        ints.sort_unstable();
        uints.sort_unstable();
        doubles.sort_unstable();
        let (few, many) = if strings.len() <= SCANNED {
            (strings, HashSet::default())
        } else {
            (vec![], strings.into_iter().collect())
        };
        Some(Self {
            few: few.into(),
            many,
            ints: ints.into(),
            uints: uints.into(),
            doubles: doubles.into(),
            has_false,
            has_true,
        })
    }

    /// Whether the value is in it.
    pub(super) fn contains(&self, value: Value<'_>) -> bool {
        match value {
            Value::String(text) => {
                self.few.iter().any(|member| **member == *text) || (!self.many.is_empty() && self.many.contains(text))
            }
            Value::Int(value) => self.ints.binary_search(&value).is_ok(),
            Value::Uint(value) => self.uints.binary_search(&value).is_ok(),
            Value::Double(value) => !value.is_nan() && self.doubles.binary_search(&bits(value)).is_ok(),
            Value::Bool(false) => self.has_false,
            Value::Bool(true) => self.has_true,
            _ => false,
        }
    }
}

fn bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}
