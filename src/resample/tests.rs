//! The call against its definition: ratios, axes, strides, threads, mistakes.

use smallvec::smallvec;

use super::*;

fn call(axis: usize, quality: Quality, target: Target) -> Resample {
    Resample { axis, quality, target }
}

/// Output by output from the definition, in `float64`.
fn slowly(x: &[f64], quality: Quality, up: u64, down: u64, length: usize) -> Vec<f64> {
    let filter = filter::<f64>(quality, up, down);
    let sample = |i: i128| usize::try_from(i).ok().and_then(|i| x.get(i)).copied().unwrap_or(0.0);
    let mut out = Vec::new();
    for i in 0..length as u64 {
        let (at, past) = (i128::from(i * down / up), (i * down % up) as f64 / up as f64);
        let phase = past * filter.phases as f64;
        let row = (phase as usize).min(filter.phases - 1);
        let between = phase - row as f64;
        let weigh = |row: &[f64]| -> f64 {
            let first = at + 1 - filter.before as i128;
            row.iter().enumerate().map(|(k, c)| c * sample(first + k as i128)).sum()
        };
        let (low, high) = (weigh(filter.row(row)), weigh(filter.row(row + 1)));
        out.push(low + between * (high - low));
    }
    out
}

fn noise(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * i * 7919 + i * 31) % 2003) as f64 / 1001.5 - 1.0).collect()
}

#[test]
fn outputs_are_the_definition_at_any_ratio_and_length() {
    let ratios = [(1, 2), (2, 1), (147, 160), (3, 7), (4099, 4001), (5000, 9999), (1, 700)];
    for quality in [Quality::Eight, Quality::Best] {
        for (up, down) in ratios {
            for n in [1, 2, 15, 700] {
                let x = noise(n);
                let storage = Storage::from_slice(&x, &[n]).unwrap();
                let target = Target::Rate { up, down };
                let y = call(0, quality, target).run(&[storage]).unwrap();
                let wanted = slowly(&x, quality, up, down, y.shape[0]);
                let got = y.to_vec::<f64>().unwrap();
                assert_eq!(got.len(), (n * up as usize).div_ceil(down as usize));
                for (i, (a, b)) in got.iter().zip(&wanted).enumerate() {
                    assert!((a - b).abs() < 1e-12, "{up}/{down} of {n} at {i}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn any_axis_and_any_stride_is_the_same_line() {
    let (n, channels) = (9000usize, 3usize);
    let lines: Vec<Vec<f32>> =
        (0..channels).map(|c| noise(n + c)[c..].iter().map(|&v| v as f32).collect()).collect();
    let interleaved: Vec<f32> =
        (0..n * channels).map(|i| lines[i % channels][i / channels]).collect();
    let one = |storage: Storage, axis| {
        call(axis, Quality::Twelve, Target::Length(5000)).run(&[storage]).unwrap()
    };
    let x = Storage::from_slice(&interleaved, &[n, channels]).unwrap();
    let mut turned = x.clone();
    turned.shape.reverse();
    turned.strides.reverse();
    let (by_frame, by_channel) = (one(x, 0), one(turned, 1));
    assert_eq!((&by_frame.shape[..], &by_channel.shape[..]), (&[5000, 3][..], &[3, 5000][..]));
    let (by_frame, by_channel) =
        (by_frame.to_vec::<f32>().unwrap(), by_channel.to_vec::<f32>().unwrap());
    for (c, line) in lines.iter().enumerate() {
        let alone = one(Storage::from_slice(line, &[n]).unwrap(), 0).to_vec::<f32>().unwrap();
        assert_eq!(alone, by_channel[c * 5000..(c + 1) * 5000]);
        assert!(alone.iter().enumerate().all(|(i, v)| *v == by_frame[i * channels + c]));
    }
    // A line read backwards, off its alignment.
    let bytes: Vec<u8> =
        [0u8; 1].into_iter().chain(lines[0].iter().flat_map(|v| v.to_le_bytes())).collect();
    let raw = Storage::from_slice(&bytes, &[bytes.len()]).unwrap();
    let backwards = Storage {
        ptr: raw.ptr.wrapping_add(1 + (n - 1) * 4),
        dtype: DType::F32,
        shape: smallvec![n],
        strides: smallvec![-4],
        keeper: raw.keeper.clone(),
    };
    let reversed: Vec<f32> = lines[0].iter().rev().copied().collect();
    let wanted = one(Storage::from_slice(&reversed, &[n]).unwrap(), 0);
    assert_eq!(one(backwards, 0).to_vec::<f32>().unwrap(), wanted.to_vec::<f32>().unwrap());
}

#[test]
fn thread_counts_do_not_show() {
    let x: Vec<f32> = noise(50_000).iter().map(|&v| v as f32).collect();
    let bits = |threads| {
        runtime::set_num_threads(threads);
        let storage = Storage::from_slice(&x, &[x.len()]).unwrap();
        let target = Target::Rate { up: 160, down: 147 };
        let y = call(0, Quality::Sixteen, target).run(&[storage]).unwrap();
        runtime::set_num_threads(0);
        y.to_vec::<f32>().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    let one = bits(1);
    assert!([2, 7].into_iter().all(|n| bits(n) == one));
}

#[test]
fn lengths_are_known_beforehand_and_mistakes_are_told() {
    let rate = call(1, Quality::Eight, Target::Rate { up: 3, down: 2 });
    assert_eq!(rate.infer(&[(DType::F32, &[2, 5])]).unwrap(), (DType::F32, smallvec![2, 8]));
    let fixed = call(0, Quality::Eight, Target::Length(0));
    assert_eq!(fixed.infer(&[(DType::F64, &[2, 5])]).unwrap(), (DType::F64, smallvec![0, 5]));
    let empty = Storage::from_slice(&[0f32; 10], &[2, 5]).unwrap();
    assert_eq!(fixed.run(&[empty]).unwrap().shape[..], [0, 5]);
    for (dtype, shape, kind) in [
        (DType::I16, &[2, 5][..], crate::error::ErrorKind::Type),
        (DType::F32, &[5], crate::error::ErrorKind::Axis),
        (DType::F32, &[2, 0], crate::error::ErrorKind::Value),
    ] {
        assert_eq!(rate.infer(&[(dtype, shape)]).unwrap_err().kind(), kind);
    }
    let long = call(0, Quality::Eight, Target::Rate { up: PARTS, down: 1 });
    assert!(long.infer(&[(DType::F32, &[5])]).is_err());
    let wide = call(0, Quality::Best, Target::Length(1));
    assert!(wide.infer(&[(DType::F32, &[10_000])]).is_ok());
    let error = wide.infer(&[(DType::F32, &[1_000_000])]).unwrap_err();
    assert!(error.message().contains("resample in steps"), "{error}");
    let none = call(0, Quality::Eight, Target::Rate { up: 0, down: 1 });
    assert!(none.infer(&[(DType::F32, &[5])]).is_err());
}
