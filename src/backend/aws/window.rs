//! Maintenance windows in the service's words. Pure.

use crate::api::{MaintenanceWindow, WeeklyWindow};

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MINUTES_OF_A_DAY: u32 = 24 * 60;

/// `ddd:hh:mm-ddd:hh:mm` in UTC, at least 30 minutes long (API reference, `PreferredMaintenanceWindow`).
pub(super) fn text(window: WeeklyWindow) -> String {
    let (hour, minute) = window.start();
    let begin = u32::from(window.weekday()) * MINUTES_OF_A_DAY + u32::from(hour) * 60 + u32::from(minute);
    let length = u32::try_from(WeeklyWindow::length().as_mins()).unwrap_or_default();
    let end = (begin + length) % (MINUTES_OF_A_DAY * 7);
    format!("{}-{}", moment(begin), moment(end))
}

/// What users wrote, in the service's words; none when it cannot be read.
pub(super) fn of(written: &MaintenanceWindow) -> Option<String> {
    WeeklyWindow::read(written).ok().map(text)
}

/// When a window in the service's words begins; none when it is none.
pub(super) fn read(text: &str) -> Option<WeeklyWindow> {
    let (weekday, time) = text.split('-').next()?.split_once(':')?;
    let written = MaintenanceWindow { weekday: weekday.to_owned(), starttime: time.to_owned() };
    WeeklyWindow::read(&written).ok()
}

fn moment(minutes: u32) -> String {
    let day = usize::try_from(minutes / MINUTES_OF_A_DAY).ok().and_then(|day| DAYS.get(day));
    let of_day = minutes % MINUTES_OF_A_DAY;
    format!("{}:{:02}:{:02}", day.unwrap_or(&"sun"), of_day / 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Mon", "03:00", Some("mon:03:00-mon:04:00"))]
    #[case("Monday", "03:00", Some("mon:03:00-mon:04:00"))]
    #[case("0", "3:05", Some("sun:03:05-sun:04:05"))]
    #[case("Wed", "23:30", Some("wed:23:30-thu:00:30"))]
    #[case("Sat", "23:30", Some("sat:23:30-sun:00:30"))]
    #[case("7", "03:00", None)]
    #[case("Mon", "24:00", None)]
    #[case("Someday", "03:00", None)]
    fn a_window_is_an_hour_and_ends_on_the_right_day(
        #[case] weekday: &str,
        #[case] starttime: &str,
        #[case] expected: Option<&str>,
    ) {
        let window = MaintenanceWindow { weekday: weekday.to_owned(), starttime: starttime.to_owned() };
        assert_eq!(of(&window).as_deref(), expected);
        // Read back, it is the same one.
        assert_eq!(expected.and_then(read).map(text).as_deref(), expected);
    }
}
