//! Go's `sort.Slice` (sort/zsortfunc.go): a pattern-defeating quicksort that is not stable, and always unstable in the same
//! way. Elements that are equal come out where they do upstream; so do those that cannot be compared.

/// Sorts by `less`, whose first error ends it.
///
/// # Errors
/// Those of `less`.
pub(super) fn unstable<E>(data: &mut [usize], less: &mut Less<'_, E>) -> Result<(), E> {
    let limit = usize::BITS - data.len().leading_zeros();
    let end = data.len();
    Sort { data, less }.quick(0, end, limit)
}

/// Whether the first of two elements comes before the second.
pub(super) type Less<'l, E> = dyn FnMut(usize, usize) -> Result<bool, E> + 'l;

struct Sort<'d, 'l, 'f, E> {
    data: &'d mut [usize],
    less: &'l mut Less<'f, E>,
}

/// What choosing a pivot tells of the order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

impl<E> Sort<'_, '_, '_, E> {
    fn less(&mut self, left: usize, right: usize) -> Result<bool, E> {
        match (self.data.get(left), self.data.get(right)) {
            (Some(left), Some(right)) => (self.less)(*left, *right),
            _ => Ok(false),
        }
    }

    fn swap(&mut self, left: usize, right: usize) {
        if left.max(right) < self.data.len() {
            self.data.swap(left, right);
        }
    }

    /// Sorts `start..end`; `limit` is how many bad pivots are allowed before it sorts by a heap. Recursion goes into the
    /// smaller part alone.
    fn quick(&mut self, mut start: usize, mut end: usize, mut limit: u32) -> Result<(), E> {
        let mut was_balanced = true;
        let mut was_partitioned = true;
        loop {
            let len = end - start;
            if len <= 12 {
                return self.insertion(start, end);
            }
            if limit == 0 {
                return self.heap(start, end);
            }
            if !was_balanced {
                self.break_patterns(start, end);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(start, end)?;
            if hint == Hint::Decreasing {
                self.data.get_mut(start..end).unwrap_or_default().reverse();
                pivot = (end - 1) - (pivot - start);
                hint = Hint::Increasing;
            }
            if was_balanced && was_partitioned && hint == Hint::Increasing && self.partial_insertion(start, end)? {
                return Ok(());
            }
            if start > 0 && !self.less(start - 1, pivot)? {
                start = self.partition_equal(start, end, pivot)?;
                continue;
            }
            let (middle, already_partitioned) = self.partition(start, end, pivot)?;
            was_partitioned = already_partitioned;
            let (left, right) = (middle - start, end - middle);
            if left < right {
                was_balanced = left >= len / 8;
                self.quick(start, middle, limit)?;
                start = middle + 1;
            } else {
                was_balanced = right >= len / 8;
                self.quick(middle + 1, end, limit)?;
                end = middle;
            }
        }
    }

    fn insertion(&mut self, start: usize, end: usize) -> Result<(), E> {
        for first in start + 1..end {
            let mut position = first;
            while position > start && self.less(position, position - 1)? {
                self.swap(position, position - 1);
                position -= 1;
            }
        }
        Ok(())
    }

    fn heap(&mut self, start: usize, end: usize) -> Result<(), E> {
        let len = end - start;
        for root in (0..len.div_ceil(2)).rev() {
            self.sift_down(root, len, start)?;
        }
        for last in (0..len).rev() {
            self.swap(start, start + last);
            self.sift_down(0, last, start)?;
        }
        Ok(())
    }

    fn sift_down(&mut self, mut root: usize, end: usize, first: usize) -> Result<(), E> {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return Ok(());
            }
            if child + 1 < end && self.less(first + child, first + child + 1)? {
                child += 1;
            }
            if !self.less(first + root, first + child)? {
                return Ok(());
            }
            self.swap(first + root, first + child);
            root = child;
        }
    }

    /// What is less than the pivot before it, what is not behind it. Says where the pivot went, and whether it was so before.
    fn partition(&mut self, start: usize, end: usize, pivot: usize) -> Result<(usize, bool), E> {
        self.swap(start, pivot);
        let (mut left, mut right) = (start + 1, end - 1);
        self.skip(start, &mut left, &mut right)?;
        if left > right {
            self.swap(right, start);
            return Ok((right, true));
        }
        self.swap(left, right);
        left += 1;
        right -= 1;
        loop {
            self.skip(start, &mut left, &mut right)?;
            if left > right {
                break;
            }
            self.swap(left, right);
            left += 1;
            right -= 1;
        }
        self.swap(right, start);
        Ok((right, false))
    }

    /// Moves both ends inwards past what stands right already. `right` stays at `pivot` or behind it.
    fn skip(&mut self, pivot: usize, left: &mut usize, right: &mut usize) -> Result<(), E> {
        while *left <= *right && self.less(*left, pivot)? {
            *left += 1;
        }
        while *left <= *right && !self.less(*right, pivot)? {
            *right -= 1;
        }
        Ok(())
    }

    /// What equals the pivot first, what is greater behind it; nothing is less. Says where the greater begin.
    fn partition_equal(&mut self, start: usize, end: usize, pivot: usize) -> Result<usize, E> {
        self.swap(start, pivot);
        let (mut left, mut right) = (start + 1, end - 1);
        loop {
            while left <= right && !self.less(start, left)? {
                left += 1;
            }
            while left <= right && self.less(start, right)? {
                right -= 1;
            }
            if left > right {
                return Ok(left);
            }
            self.swap(left, right);
            left += 1;
            right -= 1;
        }
    }

    /// Mends a few pairs; whether all is sorted then.
    fn partial_insertion(&mut self, start: usize, end: usize) -> Result<bool, E> {
        let mut position = start + 1;
        for _ in 0..5 {
            while position < end && !self.less(position, position - 1)? {
                position += 1;
            }
            if position == end {
                return Ok(true);
            }
            if end - start < 50 {
                return Ok(false);
            }
            self.swap(position, position - 1);
            if position - start >= 2 {
                for left in (1..position).rev() {
                    if !self.less(left, left - 1)? {
                        break;
                    }
                    self.swap(left, left - 1);
                }
            }
            if end - position >= 2 {
                for right in position + 1..end {
                    if !self.less(right, right - 1)? {
                        break;
                    }
                    self.swap(right, right - 1);
                }
            }
        }
        Ok(false)
    }

    /// Scatters three elements, by numbers that depend on the length alone.
    fn break_patterns(&mut self, start: usize, end: usize) {
        let len = end - start;
        if len < 8 {
            return;
        }
        let mut random = len as u64;
        let mask = (1_u64 << (u64::BITS - random.leading_zeros())) - 1;
        let middle = start + (len / 4) * 2;
        for position in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = usize::try_from(random & mask).unwrap_or_default();
            if other >= len {
                other -= len;
            }
            self.swap(position, start + other);
        }
    }

    fn choose_pivot(&mut self, start: usize, end: usize) -> Result<(usize, Hint), E> {
        let len = end - start;
        let mut swaps = 0;
        let (mut left, mut middle, mut right) = (start + len / 4, start + len / 4 * 2, start + len / 4 * 3);
        if len >= 8 {
            if len >= 50 {
                left = self.median(left - 1, left, left + 1, &mut swaps)?;
                middle = self.median(middle - 1, middle, middle + 1, &mut swaps)?;
                right = self.median(right - 1, right, right + 1, &mut swaps)?;
            }
            middle = self.median(left, middle, right, &mut swaps)?;
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            12 => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        Ok((middle, hint))
    }

    fn median(&mut self, first: usize, second: usize, third: usize, swaps: &mut u32) -> Result<usize, E> {
        let (first, second) = self.in_order(first, second, swaps)?;
        let (second, _) = self.in_order(second, third, swaps)?;
        let (_, second) = self.in_order(first, second, swaps)?;
        Ok(second)
    }

    fn in_order(&mut self, left: usize, right: usize, swaps: &mut u32) -> Result<(usize, usize), E> {
        if self.less(right, left)? {
            *swaps += 1;
            return Ok((right, left));
        }
        Ok((left, right))
    }
}
