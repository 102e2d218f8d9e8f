use proptest::prelude::*;

use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// What apimachinery 0.36.3 answers.
#[test]
fn reads_and_prints_quantities_as_the_api_server_does() {
    use Format::{BinarySi, DecimalExponent, DecimalSi};
    for (text, canonical, format) in [
        ("5", "5", DecimalSi),
        ("0.5", "500m", DecimalSi),
        ("1.5Gi", "1536Mi", BinarySi),
        ("1023Ki", "1023Ki", BinarySi),
        ("1024Ki", "1Mi", BinarySi),
        ("0.5Mi", "512Ki", BinarySi),
        ("-0.5Ki", "-512", BinarySi),
        ("0.3Ki", "307200m", BinarySi),
        ("0.0001Ki", "102400u", DecimalSi),
        ("1.2345678901Gi", "1325607178167805543n", BinarySi),
        ("1000m", "1", DecimalSi),
        ("100000", "100k", DecimalSi),
        ("1024", "1024", DecimalSi),
        ("0.1n", "1n", DecimalSi),
        ("-0.1n", "-1n", DecimalSi),
        ("1e3", "1e3", DecimalExponent),
        ("1E+3", "1e3", DecimalExponent),
        ("12e6", "12e6", DecimalExponent),
        ("1e-10", "1e-9", DecimalExponent),
        ("1e-1000", "1e-9", DecimalExponent),
        ("0e999", "0", DecimalExponent),
        ("1e21", "1e21", DecimalExponent),
        ("1E", "1E", DecimalSi),
        ("1Ei", "1Ei", BinarySi),
        ("8Ei", "9223372036854775807", BinarySi),
        ("-8Ei", "-9223372036854775807", BinarySi),
        ("9223372036854775808", "9223372036854775808", DecimalSi),
        ("9999999999999999999999999999999999999G", "9999999999999999999999999999999999999G", DecimalSi),
        ("+5", "5", DecimalSi),
        ("1.", "1", DecimalSi),
        (".5", "500m", DecimalSi),
        ("-", "0", DecimalSi),
        (".", "0", DecimalSi),
        ("Ki", "0", BinarySi),
        ("e3", "0", DecimalExponent),
    ] {
        let quantity = quantity(text);
        assert_eq!((quantity.to_string().as_str(), quantity.format()), (canonical, format), "{text}");
    }
}

#[test]
fn rejects_what_is_no_quantity() {
    for (text, error) in [
        ("", QuantityError::Format),
        ("1 ", QuantityError::Format),
        ("1_0", QuantityError::Format),
        ("abc", QuantityError::Format),
        ("1.2.3", QuantityError::Format),
        ("1K", QuantityError::Suffix),
        ("1ki", QuantityError::Suffix),
        ("1.1i", QuantityError::Suffix),
        ("1e", QuantityError::Suffix),
        ("1e99999999999999999999", QuantityError::Suffix),
        ("Pi", QuantityError::Number),
        ("e-10", QuantityError::Number),
        ("1e1001", QuantityError::TooLong),
        ("1e4294967296", QuantityError::TooLong),
        (&"1".repeat(1001), QuantityError::TooLong),
    ] {
        assert_eq!(Quantity::parse(text).unwrap_err(), error, "{text}");
    }
}

/// The API server prints `1` here.
#[test]
fn prints_what_no_suffix_reaches_with_an_exponent() {
    assert_eq!(quantity("1000E").to_string(), "1e21");
    assert_eq!(quantity("8Ei").times(1 << 30).plus(&quantity("1Gi")).to_string(), "8589934592Ei");
}

#[test]
fn reads_strings_and_numbers() {
    let read = |text: &str| {
        let arena = crate::json::Arena::with_limit(1 << 20);
        Quantity::read(crate::json::read(&arena, text).unwrap()).map(|quantity| quantity.to_string())
    };
    assert_eq!(read("\" 1.5Gi \"").unwrap(), "1536Mi");
    assert_eq!(read("2").unwrap(), "2");
    assert_eq!(read("0.25").unwrap(), "250m");
    assert_eq!(read("18446744073709551615").unwrap(), "18446744073709551615");
    assert_eq!(read("[]").unwrap_err(), QuantityError::Type);
}

#[test]
fn compares_by_value_and_by_ratio() {
    assert_eq!(quantity("1"), quantity("1000m"));
    assert!(quantity("1Gi") > quantity("1G") && quantity("-1") < quantity("0") && quantity("1e40") > quantity("1Ei"));
    assert!(quantity("-1e40") < quantity("-1Ei"));
    let (request, ratio) = (quantity("100m"), quantity("1.5"));
    assert_eq!(quantity("150m").cmp_product(&request, &ratio), Ordering::Equal);
    assert_eq!(quantity("150000001n").cmp_product(&request, &ratio), Ordering::Greater);
    assert_eq!(quantity("1e30").cmp_product(&quantity("1e20"), &quantity("1e10")), Ordering::Equal);
}

#[test]
fn calculates_in_the_notation_of_the_first_that_is_not_zero() {
    assert_eq!(quantity("1Gi").plus(&quantity("1G")).to_string(), "2073741824");
    assert_eq!(quantity("0").plus(&quantity("1Gi")).to_string(), "1Gi");
    assert_eq!(quantity("1Gi").minus(&quantity("512Mi")).to_string(), "512Mi");
    assert_eq!(quantity("100m").times(15).to_string(), "1500m");
    assert_eq!(quantity("1e29").times(100).plus(&quantity("1")).to_string(), "10000000000000000000000000000001");
}

#[test]
fn gives_whole_numbers_and_doubles() {
    let whole = |text| quantity(text).as_i64();
    assert_eq!((whole("1Ki"), whole("1.5"), whole("1500m"), whole("-2e3")), (Some(1024), None, None, Some(-2000)));
    assert_eq!((whole("9223372036854775807"), whole("9223372036854775808")), (Some(i64::MAX), None));
    assert_eq!(quantity("0.1").to_f64().to_bits(), 0.1_f64.to_bits());
    assert_eq!(quantity("1e400").to_f64().to_bits(), f64::INFINITY.to_bits());
}

prop_compose! {
    fn any_text()(text in "[+-]?[0-9]{0,12}(\\.[0-9]{0,12})?([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?") -> String {
        text
    }
}

proptest! {
    #[test]
    fn prints_what_reads_as_the_same(text in any_text()) {
        if let Ok(quantity) = Quantity::parse(&text) {
            let again = Quantity::parse(&quantity.to_string()).unwrap();
            prop_assert_eq!(&again, &quantity);
            prop_assert_eq!(again.to_string(), quantity.to_string());
        }
    }

    #[test]
    fn calculates_consistently(left in any_text(), right in any_text(), factor in -9_i64..9) {
        if let (Ok(left), Ok(right)) = (Quantity::parse(&left), Quantity::parse(&right)) {
            prop_assert_eq!(left.plus(&right), right.plus(&left));
            prop_assert_eq!(left.plus(&right).minus(&right), left.clone());
            prop_assert_eq!(left.cmp(&right), left.minus(&right).sign());
            let product = left.times(factor);
            prop_assert_eq!(product.cmp_product(&left, &Quantity::from(factor)), Ordering::Equal);
        }
    }

    #[test]
    fn ends_on_any_text(text in "\\PC{0,40}") {
        let _ = Quantity::parse(&text).map(|quantity| quantity.to_string());
    }
}

#[test]
fn rounds_to_thousandths_away_from_zero() {
    for (text, rounded) in [
        ("100u", "1m"),
        ("-100u", "-1m"),
        ("1500u", "2m"),
        ("2m", "2m"),
        ("0", "0"),
        ("1e3", "1e3"),
        ("1.2345678901Gi", "1325607178168m"),
        ("1234567890123456789012345678901.0001", "1234567890123456789012345678901001m"),
        ("-1234567890123456789012345678901.0001", "-1234567890123456789012345678901001m"),
    ] {
        assert_eq!(quantity(text).rounded_up_to_milli().to_string(), rounded, "{text}");
    }
}
