//! Recording opaque calls: dtype and shape are what the function says they will be.

use std::sync::{Arc, Mutex};

use smallvec::SmallVec;

use super::{Args, Array, Parts, Prim};
use crate::call::Call;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::shape::{self, Shape};

impl Array {
    /// Records a call of `call` on operands of any dtype and shape; numbers become 0-d arrays.
    ///
    /// # Errors
    /// Those of [`Call::infer`]; `Value` for a result that no array can be.
    pub fn call(call: Arc<dyn Call>, operands: &[Array]) -> Result<Array> {
        let args: Args = operands.iter().map(Array::strong).collect();
        let (dtype, shape) = {
            let known: SmallVec<[(DType, &[usize]); 3]> =
                args.iter().map(|a| (a.dtype(), a.shape().as_slice())).collect();
            infer(&*call, &known)?
        };
        let mut expr = Self::expr(Prim::Call, dtype, shape, args.clone());
        expr.parts = Mutex::new(Parts { args, call: Some(call) });
        Ok(Self(Arc::new(expr)))
    }
}

/// What a call will give, if an array can be that.
pub(super) fn infer(call: &dyn Call, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
    let (dtype, shape) = call.infer(operands)?;
    shape::count(&shape)?;
    if shape.len() > shape::MAX_RANK {
        let (name, most) = (call.name(), shape::MAX_RANK);
        return Err(Error::value(format!("{name}: a result has {most} axes at most")));
    }
    Ok((dtype, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Storage;
    use crate::expr::{InputMeta, Program};

    #[derive(Debug)]
    struct Same;

    impl Call for Same {
        fn name(&self) -> &'static str {
            "same"
        }

        fn infer(&self, operands: &[(DType, &[usize])]) -> Result<(DType, Shape)> {
            // Another dtype for 9 elements, which no trace can follow.
            let dtype = if operands[0].1 == [9] { DType::I8 } else { operands[0].0 };
            Ok((dtype, operands[0].1.into()))
        }

        fn run(&self, operands: &[Storage]) -> Result<Storage> {
            Ok(operands[0].clone())
        }
    }

    fn input() -> Array {
        Array::from_slice(&[1f32, 2.0, 3.0], &[3]).unwrap()
    }

    #[test]
    fn one_function_is_one_node_and_two_are_two() {
        let (f, g, x): (Arc<dyn Call>, Arc<dyn Call>, _) =
            (Arc::new(Same), Arc::new(Same), input());
        let calls = |functions: &[&Arc<dyn Call>]| {
            let all =
                functions.iter().map(|f| Array::call(Arc::clone(f), std::slice::from_ref(&x)));
            let all: Vec<Array> = all.map(Result::unwrap).collect();
            crate::explain::report(&all).unwrap().calls.len()
        };
        assert_eq!([calls(&[&f, &f]), calls(&[&f, &g]), calls(&[&f, &g, &f])], [1, 2, 2]);
    }

    #[test]
    fn functions_with_one_key_are_one() {
        let x = input();
        let sum = |scan| x.scan(scan, None, None).unwrap();
        let add = crate::scan::Scan::Add;
        let one = crate::explain::report(&[sum(add), sum(add)]).unwrap();
        let two = crate::explain::report(&[sum(add), sum(crate::scan::Scan::Maximum)]).unwrap();
        assert_eq!((one.calls.len(), two.calls.len()), (1, 2));
        assert!(!one.calls[0].is_foreign);
    }

    #[test]
    fn programs_that_differ_in_the_function_alone_are_equal() {
        let program = || Program::new(&[Array::call(Arc::new(Same), &[input()]).unwrap()]);
        let ((a, f), (b, g)) = (program(), program());
        assert!(a == b && !Arc::ptr_eq(&f.calls[0], &g.calls[0]));
    }

    #[test]
    fn other_lengths_ask_the_function_again() {
        let (program, bindings) = Program::new(&[Array::call(Arc::new(Same), &[input()]).unwrap()]);
        let reshaped = |n: usize| {
            let (shape, strides) = (smallvec::smallvec![n], smallvec::smallvec![4]);
            let meta = InputMeta { dtype: DType::F32, shape, strides };
            program.reshaped(vec![meta], &bindings.calls)
        };
        assert_eq!(reshaped(5).unwrap().nodes[1].shape[..], [5]);
        assert_eq!(reshaped(9).unwrap_err().kind(), crate::error::ErrorKind::Trace);
    }

    #[test]
    fn an_evaluated_call_lets_go_of_its_function() {
        let f = Arc::new(Same);
        let y = Array::call(f.clone(), &[input()]).unwrap();
        assert_eq!(Arc::strong_count(&f), 2);
        let out =
            crate::eval::eval(std::slice::from_ref(&y), &crate::eval::Context::default()).unwrap();
        assert_eq!(out[0].to_vec::<f32>().unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!((Arc::strong_count(&f), y.is_evaluated()), (1, true));
    }
}
