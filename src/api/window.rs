//! The weekly maintenance window. Pure, and in UTC, so that there are no time zones and no shifts of the clock in it.

use jiff::{SignedDuration, Timestamp};

use super::MaintenanceWindow;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const WEEK: i64 = 7 * DAY;
/// 1970-01-04, the first Sunday of Unix time.
const FIRST_SUNDAY: i64 = 3 * DAY;
/// As long as the custom window of Azure's flexible servers; Amazon asks for at least half of it.
const LENGTH: i64 = 60 * MINUTE;

/// An hour that comes back every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeeklyWindow {
    /// Days since Sunday, as Azure counts.
    weekday: u8,
    /// Minutes since midnight, UTC.
    start: u16,
}

/// What somebody wrote is no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("maintenance.window: found {found:?}, expected {expected}")]
pub struct NotAWindow {
    found: String,
    expected: &'static str,
}

impl WeeklyWindow {
    /// The window of a server that has none: Sundays at 03:00 UTC.
    pub const DEFAULT: Self = Self { weekday: 0, start: 3 * 60 };

    /// Reads what users write. Whole names of days are taken, too: objects of old may have them.
    ///
    /// # Errors
    /// When it is no day or no time. New objects with such a window are refused by the API server; older ones may have it.
    pub fn read(written: &MaintenanceWindow) -> Result<Self, NotAWindow> {
        let wrong = |found: &str, expected| NotAWindow { found: found.to_owned(), expected };
        let weekday = weekday(&written.weekday)
            .ok_or_else(|| wrong(&written.weekday, "Mon to Sun, or \"0\" (Sunday) to \"6\""))?;
        let start = minutes(&written.starttime)
            .ok_or_else(|| wrong(&written.starttime, "hours and minutes in UTC, such as 03:00"))?;
        Ok(Self { weekday, start })
    }

    /// The day it begins on, in days since Sunday.
    pub fn weekday(&self) -> u8 {
        self.weekday
    }

    /// When it begins: hour and minute, UTC.
    pub fn start(&self) -> (u8, u8) {
        let part = |value: u16| u8::try_from(value).unwrap_or_default();
        (part(self.start / 60), part(self.start % 60))
    }

    /// How long it is.
    pub fn length() -> SignedDuration {
        SignedDuration::from_secs(LENGTH)
    }

    /// When it opens next; none while it is open.
    pub fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let begin = FIRST_SUNDAY + i64::from(self.weekday) * DAY + i64::from(self.start) * MINUTE;
        let since = (now.as_second() - begin).rem_euclid(WEEK);
        if since < LENGTH {
            return None;
        }
        // Out of range at the end of time only, when there is no next week.
        Some(Timestamp::from_second(now.as_second() - since + WEEK).unwrap_or(Timestamp::MAX))
    }
}

fn weekday(written: &str) -> Option<u8> {
    const NAMES: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let written = written.trim().to_ascii_lowercase();
    let named = NAMES.iter().position(|name| *name == written || name.get(..3) == Some(written.as_str()));
    let number = || written.parse::<usize>().ok().filter(|number| *number < NAMES.len());
    u8::try_from(named.or_else(number)?).ok()
}

fn minutes(written: &str) -> Option<u16> {
    let (hour, minute) = written.trim().split_once(':')?;
    let number = |text: &str, below: u16| text.parse::<u16>().ok().filter(|number| *number < below);
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rstest::rstest;

    use super::*;

    fn window(weekday: &str, starttime: &str) -> Result<WeeklyWindow, NotAWindow> {
        let written = MaintenanceWindow { weekday: weekday.to_owned(), starttime: starttime.to_owned() };
        WeeklyWindow::read(&written)
    }

    // 2026-11-25 is a Wednesday.
    #[rstest]
    #[case::before_on_the_day("Wed", "03:00", "2026-11-25T02:59:59Z", Some("2026-11-25T03:00:00Z"))]
    #[case::its_first_second("Wed", "03:00", "2026-11-25T03:00:00Z", None)]
    #[case::its_last_second("Wed", "03:00", "2026-11-25T03:59:59Z", None)]
    #[case::just_over("Wed", "03:00", "2026-11-25T04:00:00Z", Some("2026-12-02T03:00:00Z"))]
    #[case::the_right_hour_of_the_wrong_day(
        "Wed",
        "03:00",
        "2026-11-24T03:30:00Z",
        Some("2026-11-25T03:00:00Z")
    )]
    #[case::past_midnight_the_evening("Tue", "23:30", "2026-11-24T23:45:00Z", None)]
    #[case::past_midnight_the_morning("Tue", "23:30", "2026-11-25T00:29:59Z", None)]
    #[case::past_midnight_over("Tue", "23:30", "2026-11-25T00:30:00Z", Some("2026-12-01T23:30:00Z"))]
    #[case::from_saturday_into_sunday("Sat", "23:59", "2026-11-29T00:58:59Z", None)]
    #[case::from_saturday_into_sunday_over(
        "Sat",
        "23:59",
        "2026-11-29T00:59:00Z",
        Some("2026-12-05T23:59:00Z")
    )]
    #[case::over_the_end_of_the_year("Thu", "23:30", "2027-01-01T00:10:00Z", None)]
    #[case::a_leap_day("Thu", "00:00", "2024-02-29T00:59:59Z", None)]
    #[case::long_before_1970("Sun", "03:00", "1960-01-03T03:30:00Z", None)]
    #[case::zero_is_sunday("0", "03:00", "2026-11-29T03:10:00Z", None)]
    #[case::six_is_saturday("6", "03:00", "2026-11-28T03:10:00Z", None)]
    #[case::a_whole_name("Wednesday", "03:00", "2026-11-25T03:10:00Z", None)]
    #[case::any_case("wED", "3:5", "2026-11-25T03:05:00Z", None)]
    fn when_it_opens(
        #[case] weekday: &str,
        #[case] starttime: &str,
        #[case] now: Timestamp,
        #[case] opens: Option<&str>,
    ) {
        let expected = opens.map(|at| at.parse().unwrap());
        assert_eq!(window(weekday, starttime).unwrap().opens(now), expected);
    }

    #[test]
    fn names_and_numbers_are_the_same_days() {
        for (number, name) in ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].iter().enumerate() {
            let read = window(name, "23:07").unwrap();
            assert_eq!(read, window(&number.to_string(), "23:07").unwrap());
            assert_eq!((usize::from(read.weekday()), read.start()), (number, (23, 7)));
        }
    }

    #[rstest]
    #[case("7", "03:00", "\"7\"")]
    #[case("someday", "03:00", "someday")]
    #[case("Wednes", "03:00", "Wednes")]
    #[case("-1", "03:00", "-1")]
    #[case("Mon", "24:00", "24:00")]
    #[case("Mon", "03", "\"03\"")]
    #[case("Mon", "03:60", "03:60")]
    fn what_is_no_window_is_named(#[case] weekday: &str, #[case] starttime: &str, #[case] named: &str) {
        let message = window(weekday, starttime).unwrap_err().to_string();
        assert!(message.contains(named), "{message}");
    }

    #[test]
    fn every_moment_of_two_weeks_is_inside_or_before_the_next_one() {
        let now = |second: i64| Timestamp::from_second(1_795_000_000 + second).unwrap();
        for window in [WeeklyWindow::DEFAULT, window("Sat", "23:45").unwrap()] {
            let inside = (0..2 * WEEK).filter(|second| window.opens(now(*second)).is_none()).count();
            assert_eq!(i64::try_from(inside).unwrap(), 2 * LENGTH);
            for second in (0..2 * WEEK).step_by(59) {
                let Some(at) = window.opens(now(second)) else { continue };
                let left = at.as_second() - now(second).as_second();
                assert!(left > 0 && left <= WEEK - LENGTH, "{left}");
                assert_eq!(window.opens(at), None);
                assert!(window.opens(at - SignedDuration::from_secs(1)).is_some());
            }
        }
    }
}
