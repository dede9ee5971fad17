//! How long a service asks to be left alone.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// However much longer a service asks for, it is asked again after this. Who waits is blind to its object's deletion, to
/// a pause and to a new spec, and one call every five minutes is no load.
pub(in super::super) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What a `Retry-After` says: seconds, or a date (RFC 9110, 10.2.3); none when it can't be read.
pub(in super::super) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    let asked = match header.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // Digits that are no number are one too large.
        Err(_) if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) => LONGEST_PAUSE,
        Err(_) => {
            let until = rfc2822::parse(header).ok()?.timestamp();
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        }
    };
    Some(asked.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::seconds("17", Some(17))]
    #[case::blanks(" 17 ", Some(17))]
    #[case::none("0", Some(0))]
    #[case::a_date("Sat, 28 Nov 2026 12:00:30 GMT", Some(30))]
    #[case::a_date_that_is_over("Sat, 28 Nov 2026 11:00:00 GMT", Some(0))]
    #[case::an_hour("3600", Some(300))]
    #[case::a_far_date("Sat, 28 Nov 2099 12:00:30 GMT", Some(300))]
    #[case::the_most("18446744073709551615", Some(300))]
    #[case::more_than_a_number("99999999999999999999999", Some(300))]
    #[case::words("soon", None)]
    #[case::negative("-1", None)]
    #[case::nothing("", None)]
    fn is_read_and_bounded(#[case] header: &str, #[case] seconds: Option<u64>) {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs));
    }
}
