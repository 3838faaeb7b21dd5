//! Recording opaque calls: dtype and shape are what the function says they will be.

use std::sync::{Arc, Mutex};

use smallvec::SmallVec;

use super::{Args, Array, Parts, Prim, State};
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
        let mut out = Self::node(Prim::Call, dtype, shape, args.clone());
        if let Some(expr) = Arc::get_mut(&mut out.0) {
            expr.state = Mutex::new(State::Pending(Parts { args, call: Some(call) }));
        }
        Ok(out)
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
