//! Elementwise ops at once: operands to tiles, tiles through a function or two, into the result.
//!
//! May not know: what an op means, which dtypes it has (that is [`super::recipe`]).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use smallvec::SmallVec;

use super::recipe::{Power, Recipe, Watch, exponent, power, recipe};
use super::source::{Source, Tile};
use super::{FloatMode, Host, Input, Parts, View, share};
use crate::dtype::DType;
use crate::error::Result;
use crate::op::Op;
use crate::runtime::scalars::check_status;
use crate::runtime::stream::{is_large, stream};
use crate::shape::{self, Shape};
use crate::tile::{self, MapFn, TILE};

/// A function on the tiles of two operands, or of what came before and one.
#[derive(Clone, Copy)]
struct Step {
    function: MapFn,
    /// Which operands; `BEFORE` is the result of the step before.
    args: [u8; 3],
}

const BEFORE: u8 = u8::MAX;

/// Up to so many elements are computed without further thought.
const FEW: usize = 4096;

/// A result about to be computed.
struct Elements {
    steps: SmallVec<[Step; 2]>,
    sources: SmallVec<[Source; 3]>,
    /// From what the last step gives to the result.
    back: Option<MapFn>,
    /// What computes the only step of whole elements and numbers, and the numbers' bits by operand.
    numbers: Option<(MapFn, [u64; 3])>,
    out: *mut u8,
    /// Bytes of an element of the result.
    size: usize,
    /// Whether the result is too large for the caches, and passes them by.
    streamed: bool,
    status: AtomicU32,
    watch: Watch,
    odd: AtomicBool,
}

// SAFETY: parts write disjoint elements of a result that nobody else sees, and read operands.
unsafe impl Sync for Elements {}

/// Computes `op` of one or two operands; false when it is declined.
pub fn map<H: Host>(
    op: Op,
    inputs: &[Input<'_>],
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let _float = FloatMode::standard();
    let Some(recipe) = recipe(op, inputs) else { return Ok(false) };
    let (mut function, mut inputs) = (recipe.function, inputs);
    if let (Op::Power, [_, exponent]) = (op, inputs) {
        match power(exponent, recipe.operand) {
            Power::Plain => {}
            Power::Declined => return Ok(false),
            Power::Of(simple) => {
                let Some(found) = tile::map(simple, recipe.compute) else { return Ok(false) };
                (function, inputs) = (found, &inputs[..1]);
            }
        }
    }
    if let Some((shape, len, [a, b])) = alike(recipe, inputs) {
        return few(recipe, function, shape, len, [a, b], host);
    }
    if let Some((function, view, number, place)) = numbered(recipe, inputs) {
        let mut operands = [view.ptr; 2];
        operands[place] = (&raw const number).cast();
        return few(recipe, function, view.shape, view.len(), operands, host);
    }
    if let Some(words) = singles(recipe, inputs).filter(|_| op != Op::Ldexp) {
        let operands = [0, 1].map(|i| (&raw const words[i]).cast());
        return few(recipe, function, &[], 1, operands, host);
    }
    let args = if op.takes_first_of_equals(recipe.operand) { [1, 0, 0] } else { [0, 1, 0] };
    let steps = [Step { function, args }];
    let mut dtypes = recipe.dtypes();
    if op == Op::Ldexp {
        dtypes[1] = exponent(&inputs[0], recipe);
    }
    compute(recipe, &steps, inputs, dtypes, None, host)
}

/// The shape, length and memory of operands that are few elements side by side, just as the function takes
/// them: the shortest way.
fn alike<'a>(
    recipe: &Recipe,
    inputs: &[Input<'a>],
) -> Option<(&'a [usize], usize, [*const u8; 2])> {
    let Some(Input::View(first)) = inputs.first() else { return None };
    let mut ptrs = [first.ptr; 2];
    for (ptr, input) in ptrs.iter_mut().zip(inputs) {
        match input {
            Input::View(view)
                if view.dtype == recipe.compute
                    && view.shape == first.shape
                    && view.is_contiguous() =>
            {
                *ptr = view.ptr;
            }
            _ => return None,
        }
    }
    let len = first.len();
    (recipe.back.is_none() && (1..=FEW).contains(&len)).then_some((first.shape, len, ptrs))
}

/// Few elements and a number: the function of both, the elements, the number's bits, and its place.
fn numbered<'a>(recipe: &Recipe, inputs: &[Input<'a>]) -> Option<(MapFn, View<'a>, u64, usize)> {
    let (view, number, place) = match inputs {
        [Input::View(view), number] => (*view, number, 1),
        [number, Input::View(view)] => (*view, number, 0),
        _ => return None,
    };
    let function = recipe.numbers[place]?;
    let few = (1..=FEW).contains(&view.len()) && view.dtype == recipe.compute;
    if !few || !view.is_contiguous() || matches!(number, Input::View(_)) {
        return None;
    }
    match Source::new(number, recipe.operand, recipe.compute, &[], 1)? {
        Source::Repeated(value) => Some((function, view, value.bits, place)),
        _ => None,
    }
}

/// The bits of numbers alone, just as the function takes them.
fn singles(recipe: &Recipe, inputs: &[Input<'_>]) -> Option<[u64; 2]> {
    let mut words = [0; 2];
    for (word, input) in words.iter_mut().zip(inputs) {
        if matches!(input, Input::View(_)) {
            return None;
        }
        match Source::new(input, recipe.operand, recipe.compute, &[], 1)? {
            Source::Repeated(value) => *word = value.bits,
            _ => return None,
        }
    }
    recipe.back.is_none().then_some(words)
}

/// Computes few elements by one call of a function.
fn few<H: Host>(
    recipe: &Recipe,
    function: MapFn,
    shape: &[usize],
    len: usize,
    [a, b]: [*const u8; 2],
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let out = host.allocate(recipe.result, shape)?;
    let mut status = 0;
    // SAFETY: the result has `len` elements, and so have the operands, of the function's dtypes, but for a number:
    // of that the function takes one, and a divisor that is looked at is one only where the result has one element.
    let odd = unsafe {
        function(out, a, b, a, len, &raw mut status);
        recipe.watch.sees(b, out, len)
    };
    check_status(status)?;
    if odd {
        host.is_odd();
    }
    Ok(true)
}

/// `where`: the second operand where the first holds, else the third.
pub fn choose<H: Host>(
    inputs: &[Input<'_>; 3],
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let _float = FloatMode::standard();
    let Some(recipe) = recipe(Op::Where, &inputs[1..]) else { return Ok(false) };
    if matches!(inputs[0], Input::View(v) if v.dtype.is_complex()) {
        return Ok(false);
    }
    let steps = [Step { function: recipe.function, args: [0, 1, 2] }];
    let mut dtypes = recipe.dtypes();
    dtypes[0] = (DType::Bool, DType::Bool);
    compute(recipe, &steps, inputs, dtypes, None, host)
}

/// `minimum(maximum(x, low), high)`, either bound may be missing. Elements equal to a bound stay if both bounds
/// are single values.
pub fn clip<H: Host>(
    x: &Input<'_>,
    low: Option<&Input<'_>>,
    high: Option<&Input<'_>>,
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let _float = FloatMode::standard();
    let (mut inputs, mut steps) = (SmallVec::<[Input<'_>; 3]>::new(), SmallVec::<[Step; 2]>::new());
    inputs.push(*x);
    let mut found: Option<&Recipe> = None;
    let single = [low, high].iter().all(|bound| bound.is_some_and(Input::is_single));
    // One element and bounds of as many axes are arrays to NumPy.
    let all = [Some(x), low, high];
    let rank = all.iter().flatten().map(|input| input.rank()).max();
    let repeats =
        x.len() != 1 || all.iter().flatten().any(|a| a.rank() > 0 && Some(a.rank()) < rank);
    let one = |bound: &Input<'_>| bound.is_single() || (repeats && bound.len() == 1);
    let mut stays = [low, high].iter().all(|bound| bound.is_some_and(one));
    for (op, bound) in [(Op::Maximum, low), (Op::Minimum, high)] {
        let Some(bound) = bound else { continue };
        let Some(recipe) = recipe(op, &[*x, *bound]) else { return Ok(false) };
        // Bounds of different dtypes decide together.
        if found.is_some_and(|f| f.operand != recipe.operand) {
            return Ok(false);
        }
        let mut args = [if steps.is_empty() { 0 } else { BEFORE }, inputs.len() as u8, 0];
        stays |= op.takes_first_of_equals(recipe.operand);
        if stays {
            args.swap(0, 1);
        }
        steps.push(Step { function: recipe.function, args });
        inputs.push(*bound);
        found = Some(recipe);
    }
    let Some(recipe) = found else { return Ok(false) };
    let mut between = None;
    if steps.len() == 2
        && let Some(function) = tile::clip(recipe.compute, stays)
    {
        steps.clear();
        steps.push(Step { function, args: [0, 1, 2] });
        between = if single { tile::clip_between(recipe.compute) } else { None };
    }
    compute(recipe, &steps, &inputs, recipe.dtypes(), between, host)
}

/// The elements of an array as another dtype.
pub fn convert<H: Host>(
    view: &View<'_>,
    dtype: DType,
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    if view.dtype.is_complex() || dtype.is_complex() {
        return Ok(false);
    }
    let _float = FloatMode::standard();
    let len = view.len();
    if (1..=FEW).contains(&len) && view.is_contiguous() {
        let out = host.allocate(dtype, view.shape)?;
        let mut status = 0;
        let (from, function) = (view.ptr, tile::cast(view.dtype, dtype));
        // SAFETY: the array and the result have `len` elements.
        unsafe { function(out, from, from, from, len, &raw mut status) };
        check_status(status)?;
        return Ok(true);
    }
    let recipe = Recipe {
        operand: view.dtype,
        compute: view.dtype,
        result: dtype,
        function: tile::cast(view.dtype, dtype),
        back: None,
        numbers: [None; 2],
        weight: 3,
        watch: Watch::Nothing,
    };
    let steps = [Step { function: recipe.function, args: [0; 3] }];
    compute(&recipe, &steps, &[Input::View(*view)], recipe.dtypes(), None, host)
}

/// The shape of all operands together.
fn common(inputs: &[Input<'_>]) -> Option<Shape> {
    let mut first: Option<&[usize]> = None;
    let mut same = true;
    for input in inputs {
        if let Input::View(view) = input {
            same &= *first.get_or_insert(view.shape) == view.shape;
        }
    }
    let first = first.unwrap_or(&[]);
    if same {
        return Some(Shape::from_slice(first));
    }
    let shapes = inputs.iter().filter_map(|input| match input {
        Input::View(view) => Some(view.shape),
        _ => None,
    });
    shape::broadcast("", shapes).ok()
}

/// Runs the steps on all elements. `dtypes` are those that numbers must fit and that operands are converted to;
/// `between` is what computes the only step of elements and two numbers.
fn compute<H: Host>(
    recipe: &Recipe,
    steps: &[Step],
    inputs: &[Input<'_>],
    dtypes: [(DType, DType); 3],
    between: Option<MapFn>,
    host: &mut H,
) -> std::result::Result<bool, H::Error> {
    let Some(shape) = common(inputs) else { return Ok(false) };
    let len = match shape::count(&shape) {
        Ok(len) if len > 0 => len,
        _ => return Ok(false),
    };
    let mut sources = SmallVec::new();
    for (input, (operand, dtype)) in inputs.iter().zip(dtypes) {
        match Source::new(input, operand, dtype, &shape, len) {
            Some(source) => sources.push(source),
            None => return Ok(false),
        }
    }
    // None of these looks at divisors afterwards, of which there is one alone.
    let whole = |source: &Source| matches!(source, Source::Whole { .. });
    let numbers = match &sources[..] {
        [a, Source::Repeated(value)] if whole(a) => {
            recipe.numbers[1].map(|function| (function, [0, value.bits, 0]))
        }
        [Source::Repeated(value), b] if whole(b) => {
            recipe.numbers[0].map(|function| (function, [value.bits, 0, 0]))
        }
        [a, Source::Repeated(low), Source::Repeated(high)] if whole(a) => {
            between.map(|function| (function, [0, low.bits, high.bits]))
        }
        _ => None,
    };
    let out = host.allocate(recipe.result, &shape)?;
    let elements = Elements {
        steps: SmallVec::from_slice(steps),
        sources,
        back: recipe.back,
        numbers,
        out,
        size: recipe.result.size(),
        streamed: is_large(len * recipe.result.size()),
        status: AtomicU32::new(0),
        watch: recipe.watch,
        odd: AtomicBool::new(false),
    };
    let cost = len * (recipe.weight + steps.len() - 1);
    host.run(cost, &|ctx| {
        share(&elements, len, cost, ctx)?;
        check_status(elements.status.load(Ordering::Relaxed))
    })?;
    if elements.odd.into_inner() {
        host.is_odd();
    }
    Ok(true)
}

impl Elements {
    /// Elements `lo..hi` in one call, if the operands and the result are just what the function takes.
    fn at_once(&self, lo: usize, hi: usize) -> bool {
        let [step] = self.steps.as_slice() else { return false };
        if self.back.is_some() || self.streamed {
            return false;
        }
        let (function, bits) = self.numbers.unwrap_or((step.function, [0; 3]));
        let mut ptrs = [std::ptr::null::<u8>(); 3];
        for ((ptr, source), bits) in ptrs.iter_mut().zip(&self.sources).zip(&bits) {
            match source {
                Source::Whole { ptr: start, size } => *ptr = start.wrapping_add(lo * size),
                _ if self.numbers.is_some() => *ptr = std::ptr::from_ref(bits).cast(),
                _ => return false,
            }
        }
        let [a, b, c] = step.args.map(|i| ptrs[usize::from(i)]);
        // SAFETY: the operands and the result have these elements, of the function's dtypes.
        unsafe {
            let to = self.out.add(lo * self.size);
            function(to, a, b, c, hi - lo, self.status.as_ptr());
            self.look(&ptrs, to, hi - lo);
        }
        true
    }

    /// Takes note if NumPy may warn of `n` elements.
    ///
    /// # Safety
    /// The operands and the results have `n` elements.
    unsafe fn look(&self, operands: &[*const u8; 3], results: *const u8, n: usize) {
        let last = operands[self.sources.len() - 1];
        // SAFETY: the caller's promise.
        if unsafe { self.watch.sees(last, results, n) } {
            self.odd.store(true, Ordering::Relaxed);
        }
    }

    /// Elements `lo..hi`, a tile at a time.
    #[inline(never)]
    fn tiled(&self, lo: usize, hi: usize) {
        let own = &mut [&mut Tile::new(), &mut Tile::new(), &mut Tile::new()];
        let (mut spare, mut before, mut made) = (Tile::new(), Tile::new(), Tile::new());
        let most = TILE.min(hi - lo);
        for (source, tile) in self.sources.iter().zip(own.iter_mut()) {
            // SAFETY: at most a tile.
            unsafe { source.open(most, tile) };
        }
        for at in (lo..hi).step_by(TILE) {
            let n = TILE.min(hi - at);
            let mut ptrs = [std::ptr::null::<u8>(); 3];
            for ((ptr, source), tile) in ptrs.iter_mut().zip(&self.sources).zip(own.iter_mut()) {
                // SAFETY: the operand has these elements (it was made for the result's shape), and its
                // memory is held by who asked.
                *ptr = unsafe { source.tile(at, n, tile, &mut spare) };
            }
            let out = self.out.wrapping_add(at * self.size);
            let to = if self.streamed { made.ptr() } else { out };
            let last = if self.back.is_some() { before.ptr() } else { to };
            for step in &self.steps {
                let [a, b, c] = step.args.map(|i| match i {
                    BEFORE => last.cast_const(),
                    i => ptrs[usize::from(i)],
                });
                // SAFETY: each has `n` elements; the result of the step before is of the same dtype.
                unsafe { (step.function)(last, a, b, c, n, self.status.as_ptr()) };
            }
            if let Some(back) = self.back {
                // SAFETY: as above.
                unsafe { back(to, last, last, last, n, self.status.as_ptr()) };
            }
            if self.streamed {
                // SAFETY: the result has these elements, and they were made in the tile.
                unsafe { stream(to, out, n * self.size) };
            }
            // SAFETY: as above.
            unsafe { self.look(&ptrs, to, n) };
        }
    }
}

impl Parts for Elements {
    fn part(&self, lo: usize, hi: usize) -> Result<()> {
        if !self.at_once(lo, hi) {
            self.tiled(lo, hi);
        }
        Ok(())
    }
}
