//! Kernels to machine code, by Cranelift.
//!
//! The generator adds speed and no meaning: whatever it has no inline form for is a call of the
//! tile function that the interpreter would run, and where it fails, the interpreter takes over.
//! Code lies in memory of its own per kernel, which is writable first and executable then, never
//! both. Main loops are functions of the same memory where [`wide`] can write them. May not know: graphs,
//! plans, shapes.

mod emit;
mod group;
mod inline;
mod known;
mod plan;
mod shift;
mod target;
#[cfg(test)]
mod tests;
mod vector;
mod wide;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock};

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::ExternalName;
use cranelift_codegen::{Context, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleError};

use self::emit::Written;
use self::target::Target;
use crate::error::{Error, Result};
use crate::fork::PerProcess;
use crate::loops::{Buf, Form, Kernel, Line, Loop, Role, Step};

/// Machine code of one kernel; the memory is freed when the last owner drops it.
pub struct Code {
    entry: unsafe extern "C" fn(*const u64),
    scratch: usize,
    size: usize,
    /// Keeps the code in memory. Behind a lock because a module may not be shared; nobody takes it.
    _memory: Mutex<Memory>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({} bytes, {} scratch)", self.size, self.scratch)
    }
}

impl Code {
    /// Bytes of scratch memory that a run needs.
    pub fn scratch(&self) -> usize {
        self.scratch
    }

    /// Bytes of machine code.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Runs the code on the argument words of one run (see [`crate::loops::Layout`]).
    ///
    /// # Safety
    /// The words must describe memory that the kernel may touch.
    pub unsafe fn run(&self, words: *const u64) {
        // SAFETY: the caller's promise; the code lives as long as `self`.
        unsafe { (self.entry)(words) }
    }
}

/// A module that frees its code when dropped; by default it would leak.
struct Memory(Option<JITModule>);

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(module) = self.0.take() {
            // SAFETY: the code is reached through its `Code` alone, whose borrow outlives each run.
            unsafe { module.free_memory() };
        }
    }
}

/// Compiles a kernel. An error means that the interpreter must take over; it never panics.
pub fn compile(kernel: &Kernel) -> Result<Code> {
    compile_for(kernel, target::target()?)
}

fn compile_for(kernel: &Kernel, target: &Target) -> Result<Code> {
    guarded(|| {
        let isa = &target.isa;
        let mut context = Context::new();
        let written = write(kernel, target, &mut context)?;
        let libcalls = cranelift_module::default_libcall_names();
        let mut memory = Memory(Some(JITModule::new(JITBuilder::with_isa(isa.clone(), libcalls))));
        let Some(module) = memory.0.as_mut() else {
            return Err(Error::bug("no module for code"));
        };
        let id = module
            .declare_function("kernel", Linkage::Local, &context.func.signature)
            .map_err(refused)?;
        let mut size = 0;
        for wide in &written.wides {
            let signature = emit::wide_signature(wide);
            let id = module.declare_anonymous_function(&signature).map_err(refused)?;
            module.define_function_bytes(id, 32, &wide.code, &[]).map_err(refused)?;
            size += wide.code.len();
        }
        module.define_function(id, &mut context).map_err(refused)?;
        let compiled =
            context.compiled_code().ok_or_else(|| Error::bug("code generation gave no code"))?;
        let ours = |target: &FinalizedRelocTarget| {
            matches!(target, FinalizedRelocTarget::ExternalName(ExternalName::User(_)))
        };
        if !compiled.buffer.relocs().iter().all(|r| ours(&r.target)) {
            return Err(Error::bug("generated code needs a function of the code generator's"));
        }
        size += compiled.code_info().total_size as usize;
        module.finalize_definitions().map_err(refused)?;
        let entry = module.get_finalized_function(id);
        // SAFETY: the function was written with exactly this signature.
        let entry =
            unsafe { std::mem::transmute::<*const u8, unsafe extern "C" fn(*const u64)>(entry) };
        let scratch = written.scratch;
        Ok(Code { entry, scratch, size, _memory: Mutex::new(memory) })
    })
}

/// The machine instructions of a kernel's code, as Cranelift prints them; wide loops follow.
pub fn disassemble(kernel: &Kernel) -> Result<String> {
    guarded(|| {
        let target = target::target()?;
        let isa = &target.isa;
        let mut context = Context::new();
        context.set_disasm(true);
        let written = write(kernel, target, &mut context)?;
        let compiled = context
            .compile(isa.as_ref(), &mut ControlPlane::default())
            .map_err(|e| Error::bug(format!("code generation failed: {:?}", e.inner)))?;
        let text = compiled.vcode.clone();
        let mut text = text.ok_or_else(|| Error::bug("code generation gave no text"))?;
        written.wides.iter().for_each(|wide| text += &wide.text());
        Ok(text)
    })
}

/// Whether machine code can be made and run in this process at all; found out once.
pub fn available() -> bool {
    static AVAILABLE: PerProcess<OnceLock<bool>> = PerProcess::new(OnceLock::new);
    *AVAILABLE.get().get_or_init(|| {
        let buf = |role| Buf {
            dtype: crate::dtype::DType::F32,
            role,
            moves: smallvec::smallvec![true],
            run: Step::Unit,
        };
        let kernel = Kernel {
            loops: smallvec::smallvec![Loop { reduce: false }],
            form: Form::Map,
            flat: true,
            bufs: vec![buf(Role::Input), buf(Role::Output)],
            scalars: Vec::new(),
            tables: 0,
            lines: vec![Line::Load { buf: 0 }, Line::Store { buf: 1, value: 0 }],
        };
        let Ok(code) = compile(&kernel) else { return false };
        let words = vec![0u64; kernel.layout().len];
        // SAFETY: a run over no elements touches nothing but the words.
        unsafe { code.run(words.as_ptr()) };
        true
    })
}

/// Writes a kernel's function into a context.
fn write(kernel: &Kernel, target: &Target, context: &mut Context) -> Result<Written> {
    let plan = plan::Plan::new(kernel, target.full);
    let mut builder = FunctionBuilderContext::new();
    emit::emit(kernel, &plan, target, &mut context.func, &mut builder)
}

/// Runs the code generator where neither a small stack nor a panic of its own can hurt.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let roomy = || stacker::maybe_grow(1 << 20, 4 << 20, work);
    catch_unwind(AssertUnwindSafe(roomy)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(Error::bug(format!("code generation panicked: {what}")))
    })
}

fn refused(e: ModuleError) -> Error {
    match e {
        ModuleError::Allocation { .. } | ModuleError::Backend(_) => {
            Error::memory(format!("no executable memory: {e}"))
        }
        e => Error::bug(format!("code generation failed: {e}")),
    }
}
