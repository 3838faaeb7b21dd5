//! Opaque calls: what a function is shown, what it may give back, and what becomes of its errors.

use std::cell::Cell;
use std::sync::Mutex;

use super::*;
use crate::call::Call;
use crate::error::{Error, ErrorKind};
use crate::loops::{Invocation, Operand};
use DType::F64;

type Function = dyn Fn(&[Storage]) -> Result<Storage> + Send + Sync;

/// A function for one test.
struct Named(Box<Function>);

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Named")
    }
}

impl Call for Named {
    fn name(&self) -> &'static str {
        "named"
    }

    fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
        Ok((operands[0].0, operands[0].1.into()))
    }

    fn run(&self, operands: &[Storage]) -> Result<Storage> {
        self.0(operands)
    }
}

fn named(f: impl Fn(&[Storage]) -> Result<Storage> + Send + Sync + 'static) -> Arc<dyn Call> {
    Arc::new(Named(Box::new(f)))
}

/// `y = call(x + x, every second x, scalar); z = y * y`, over `n` elements; both are results.
fn around(n: usize) -> Plan {
    let twice = |op| {
        let mut k = Builder::new(Form::Map, false, &[n], &[false]);
        let x = k.input(F64, Step::Unit, &[8]);
        let y = k.map(op, F64, &[x, x]);
        k.store(F64, y);
        k.finish()
    };
    let (mut plan, mut after) = (twice(Op::Add), twice(Op::Multiply));
    plan.scalars = vec![ScalarSource::Argument(0)];
    let view = |memory, n, stride: isize| Operand::View {
        place: Place { memory, offset: 0, strides: smallvec![stride] },
        dtype: F64,
        shape: smallvec![n],
    };
    let operands =
        vec![view(Memory::Buffer(0), n, 8), view(Memory::Input(0), n / 2, 16), Operand::Scalar(0)];
    plan.steps.push(Task::Call(Invocation { slot: 0, name: "named".into(), operands, result: 1 }));
    let launch = first(&mut after);
    launch.bufs[0].memory = Memory::Buffer(1);
    launch.bufs[1].memory = Memory::Buffer(2);
    plan.steps.append(&mut after.steps);
    let spec = plan.buffers[0].clone();
    plan.buffers = vec![BufferSpec { last_use: Some(1), ..spec.clone() }, spec.clone(), spec];
    plan.outputs = vec![1, 2];
    plan
}

fn run_around(call: Arc<dyn Call>, data: &[f64]) -> Result<Vec<Storage>> {
    let arguments =
        Arguments { inputs: &[storage(F64, data)], scalars: &[Scalar::f64(0.5)], calls: &[call] };
    super::super::run(&Prepared::new(around(data.len())), &arguments, &Context::default())
}

const DATA: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

#[test]
fn a_function_sees_views_and_its_memory_is_the_result() {
    let call = named(|operands| {
        let [x, half, s] = operands else { panic!("three operands") };
        assert_eq!(half.to_vec::<f64>()?, [1.0, 3.0]);
        assert_eq!((half.strides[0], s.shape.len()), (16, 0));
        let s = s.read_scalar().to_f64();
        let y: Vec<f64> = x.to_vec::<f64>()?.iter().map(|v| v + s).collect();
        Storage::from_slice(&y, &x.shape)
    });
    let out = run_around(call, &DATA).unwrap();
    assert_eq!(out[0].to_vec::<f64>().unwrap(), [2.5, 4.5, 6.5, 8.5]);
    assert_eq!(out[1].to_vec::<f64>().unwrap(), [6.25, 20.25, 42.25, 72.25]);
}

#[test]
fn what_is_strided_or_an_operand_is_copied() {
    for reversed in [false, true] {
        let call = named(move |operands| {
            let mut y = operands[0].clone();
            if reversed {
                y.ptr = y.ptr.wrapping_add(24);
                y.strides[0] = -8;
            }
            Ok(y)
        });
        let out = run_around(call, &DATA).unwrap();
        let mut want = DATA.map(|v| 2.0 * v);
        if reversed {
            want.reverse();
        }
        assert_eq!(out[0].to_vec::<f64>().unwrap(), want);
        assert!(out[0].is_contiguous());
        assert_eq!(Arc::strong_count(&out[0].keeper), 1);
    }
}

#[test]
fn what_a_function_keeps_stays_as_it_was() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let call = named(move |operands| {
        *keep.lock().unwrap() = Some(operands[0].clone());
        operands[0].c_ordered()
    });
    for _ in 0..3 {
        drop(run_around(call.clone(), &DATA).unwrap());
        let kept = kept.lock().unwrap().clone().unwrap();
        assert_eq!(kept.to_vec::<f64>().unwrap(), [2.0, 4.0, 6.0, 8.0]);
    }
}

#[test]
fn another_dtype_or_shape_than_announced_is_refused() {
    for (value, want) in [
        (Storage::from_slice(&[1f32; 4], &[4]).unwrap(), "named: returned float32 of shape (4,), "),
        (
            Storage::from_slice(&[1f64; 4], &[2, 2]).unwrap(),
            "named: returned float64 of shape (2, 2)",
        ),
    ] {
        let err = run_around(named(move |_| Ok(value.clone())), &DATA).err().unwrap();
        assert_eq!(err.kind(), ErrorKind::Value);
        assert!(err.message().starts_with(want), "{err}");
        assert!(err.message().ends_with("float64 of shape (4,) was announced"), "{err}");
    }
}

#[test]
fn errors_come_back_as_they_are_and_panics_as_errors() {
    let payload: Arc<dyn std::any::Any + Send + Sync> = Arc::new(42u8);
    let error = Error::foreign("raised", payload);
    let raised = error.clone();
    let err = run_around(named(move |_| Err(raised.clone())), &DATA).err().unwrap();
    assert_eq!(err, error);
    assert_eq!(err.payload().and_then(|p| p.downcast_ref()), Some(&42u8));
    assert_ne!(err, Error::foreign("raised", Arc::new(42u8)));
    let err = run_around(named(|_| panic!("on purpose")), &DATA).err().unwrap();
    assert_eq!(err, Error::bug("named: the function panicked: on purpose"));
}

#[test]
fn an_evaluation_may_run_inside_a_call_and_from_many_threads() {
    let call = named(|operands| {
        let inner = named(|operands| operands[0].c_ordered());
        Ok(run_around(inner, &operands[0].to_vec::<f64>()?)?.swap_remove(1))
    });
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                let out = run_around(call.clone(), &DATA).unwrap();
                assert_eq!(out[0].to_vec::<f64>().unwrap(), DATA.map(|v| 16.0 * v * v));
            });
        }
    });
}

#[test]
fn a_wrong_plan_and_an_interrupt_are_errors() {
    let data = [storage(F64, &DATA)];
    let call = named(|operands| {
        std::thread::sleep(std::time::Duration::from_millis(40));
        operands[0].c_ordered()
    });
    let calls = [call];
    let arguments = Arguments { inputs: &data, scalars: &[Scalar::f64(0.5)], calls: &calls };
    let spoil: [fn(&mut Invocation); 4] = [
        |c| c.slot = 1,
        |c| c.operands[2] = Operand::Scalar(1),
        |c| match &mut c.operands[1] {
            Operand::View { place, .. } => place.offset = 16,
            Operand::Scalar(_) => {}
        },
        |c| match &mut c.operands[0] {
            Operand::View { place, .. } => place.memory = Memory::Buffer(2),
            Operand::Scalar(_) => {}
        },
    ];
    for spoil in spoil {
        let mut bad = around(4);
        let Task::Call(call) = &mut bad.steps[1] else { panic!("not the call") };
        spoil(call);
        let err =
            super::super::run(&Prepared::new(bad), &arguments, &Context::default()).err().unwrap();
        assert_eq!(err.kind(), ErrorKind::Bug, "{err}");
    }
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        true
    };
    let ctx = Context { interrupt: Some(&interrupt), threads: None };
    let err = super::super::run(&Prepared::new(around(4)), &arguments, &ctx).err().unwrap();
    assert_eq!((err.kind(), asked.get()), (ErrorKind::Interrupted, 1));
}
