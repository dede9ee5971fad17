//! Windows: a part of every day for backups, a part of every week for maintenance; UTC (botocore,
//! `PreferredBackupWindow`, `PreferredMaintenanceWindow`).

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::wire::{Refusal, invalid};

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What is taken where nothing is asked for; the second one where the first would overlap.
const BACKUP: [&str; 2] = ["02:00-02:30", "05:00-05:30"];
const MAINTENANCE: [&str; 2] = ["sun:04:00-sun:04:30", "sun:06:00-sun:06:30"];

/// In minutes, from Monday or from midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: u32,
    length: u32,
}

/// Backup window and maintenance window, in the service's form: what was asked for, else what is in force, else defaults.
pub(super) fn windows(
    asked: (Option<&str>, Option<&str>),
    now: Option<(&str, &str)>,
) -> Result<(String, String), Refusal> {
    let pick = |backup: &str, maintenance: &str| {
        let pair = (backup.to_lowercase(), maintenance.to_lowercase());
        overlap(daily(&pair.0)?, weekly(&pair.1)?).map(|()| pair)
    };
    match (asked.0.or(now.map(|now| now.0)), asked.1.or(now.map(|now| now.1))) {
        (Some(backup), Some(maintenance)) => pick(backup, maintenance),
        (Some(backup), None) => pick(backup, MAINTENANCE[0]).or_else(|_| pick(backup, MAINTENANCE[1])),
        (None, Some(maintenance)) => pick(BACKUP[0], maintenance).or_else(|_| pick(BACKUP[1], maintenance)),
        (None, None) => pick(BACKUP[0], MAINTENANCE[0]),
    }
}

/// Whether a maintenance window began after `since` and up to `now`.
pub(super) fn began(maintenance: &str, since: Timestamp, now: Timestamp) -> bool {
    let Ok(window) = weekly(maintenance) else { return false };
    let at = since.to_zoned(TimeZone::UTC);
    let day = u32::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default();
    let minute = day * DAY
        + u32::try_from(at.hour()).unwrap_or_default() * 60
        + u32::try_from(at.minute()).unwrap_or_default();
    // Within the window itself there is nothing to wait for.
    let wait = if (minute + WEEK - window.start) % WEEK < window.length {
        0
    } else {
        (window.start + WEEK - minute) % WEEK
    };
    let seconds = i64::from(wait) * 60 - if wait > 0 { i64::from(at.second()) } else { 0 };
    since.saturating_add(SignedDuration::from_secs(seconds)).is_ok_and(|begin| begin <= now)
}

fn daily(text: &str) -> Result<Window, Refusal> {
    let wrong = || invalid(format!("Invalid backup window: {text}; hh24:mi-hh24:mi, UTC."));
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (start, end) = (clock(from).ok_or_else(wrong)?, clock(to).ok_or_else(wrong)?);
    long_enough(Window { start, length: (end + DAY - start) % DAY }, DAY)
}

fn weekly(text: &str) -> Result<Window, Refusal> {
    let wrong = || invalid(format!("Invalid maintenance window: {text}; ddd:hh24:mi-ddd:hh24:mi, UTC."));
    let point = |text: &str| {
        let (day, time) = text.split_once(':')?;
        let day = DAYS.iter().position(|known| *known == day)?;
        Some(u32::try_from(day).ok()? * DAY + clock(time)?)
    };
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (start, end) = (point(from).ok_or_else(wrong)?, point(to).ok_or_else(wrong)?);
    long_enough(Window { start, length: (end + WEEK - start) % WEEK }, DAY)
}

fn clock(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn long_enough(window: Window, most: u32) -> Result<Window, Refusal> {
    if (30..most).contains(&window.length) {
        Ok(window)
    } else {
        Err(invalid("A window must last at least 30 minutes and less than 24 hours."))
    }
}

fn overlap(daily: Window, weekly: Window) -> Result<(), Refusal> {
    // The backup's window of each day, and of the one before the week, which may reach into it.
    let each = (0..7).map(|day| day * DAY + daily.start);
    let meets = |start: u32| {
        let after = (start + WEEK - weekly.start) % WEEK;
        let before = (weekly.start + WEEK - start) % WEEK;
        after < weekly.length || before < daily.length
    };
    if each.into_iter().any(meets) {
        return Err(invalid("The backup window and maintenance window must not overlap."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::both_apart(Some("01:00-02:00"), Some("mon:03:00-mon:04:00"), true)]
    #[case::past_midnight(Some("23:30-00:30"), Some("sun:23:45-mon:01:00"), false)]
    #[case::past_the_end_of_the_week(Some("00:00-00:30"), Some("sun:23:30-mon:00:30"), false)]
    #[case::one_after_the_other(Some("01:00-02:00"), Some("tue:02:00-tue:02:30"), true)]
    #[case::a_day_in_capitals(None, Some("Sun:04:00-Sun:05:00"), true)]
    #[case::an_unknown_day(None, Some("su:04:00-su:05:00"), false)]
    #[case::too_short(Some("01:00-01:29"), None, false)]
    #[case::one_digit(Some("1:00-02:00"), None, false)]
    #[case::over_the_default(Some("04:00-05:00"), None, true)]
    fn windows_have_a_form_a_length_and_do_not_overlap(
        #[case] backup: Option<&str>,
        #[case] maintenance: Option<&str>,
        #[case] legal: bool,
    ) {
        let got = windows((backup, maintenance), None);
        assert_eq!(got.is_ok(), legal, "{got:?}");
        assert!(got.is_err() || got.is_ok_and(|(_, text)| text == text.to_lowercase()));
    }

    #[rstest::rstest]
    #[case::not_yet("2026-11-25T12:00:00Z", "2026-11-29T03:59:59Z", false)]
    #[case::reached("2026-11-25T12:00:00Z", "2026-11-29T04:00:00Z", true)]
    #[case::passed_over("2026-11-25T12:00:00Z", "2026-12-24T12:00:00Z", true)]
    #[case::within_it("2026-11-29T04:10:30Z", "2026-11-29T04:10:30Z", true)]
    #[case::just_after_it("2026-11-29T04:30:00Z", "2026-12-06T03:59:00Z", false)]
    fn a_window_counts_from_its_beginning(#[case] since: &str, #[case] now: &str, #[case] began_: bool) {
        let (since, now) = (since.parse().unwrap(), now.parse().unwrap());
        assert_eq!(began("sun:04:00-sun:04:30", since, now), began_);
    }
}
