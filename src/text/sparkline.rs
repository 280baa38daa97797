//! Numbers over time as a row of blocks.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A block for each number, oldest first: the lowest for 0, the highest for `full`, or for the largest number if that is more.
/// What is not known is a blank.
pub fn sparkline(numbers: &[Option<f64>], full: f64) -> String {
    let largest = numbers.iter().flatten().copied().filter(|number| number.is_finite()).fold(full, f64::max);
    let block = |number: f64| {
        let share = if largest > 0.0 { (number / largest).clamp(0.0, 1.0) } else { 0.0 };
        let at = (share * (BLOCKS.len() - 1) as f64).round() as usize;
        BLOCKS.get(at).copied().unwrap_or(BLOCKS[0])
    };
    numbers.iter().map(|number| number.filter(|number| number.is_finite()).map_or(' ', block)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_the_highest_and_what_is_not_known_is_blank() {
        let line = |numbers: &[Option<f64>], full| sparkline(numbers, full);
        assert_eq!(line(&[Some(0.0), Some(1.0), None, Some(2.0), Some(4.0)], 0.0), "▁▃ ▅█");
        assert_eq!(line(&[Some(1.0), Some(2.0)], 10.0), "▂▂", "what is little is shown little");
        assert_eq!(line(&[Some(-5.0), Some(f64::NAN), Some(0.0)], 0.0), "▁ ▁");
        assert_eq!(line(&[], 0.0), "");
    }
}
