//! Graphs to plans: each group of the fusion becomes one kernel and its launch, or one call.
//!
//! [`body`] writes the lines, seeing every operand through the views above it; [`counted`] finds what
//! interpolation can count for itself; [`measure`] lets folds take squares and magnitudes themselves; [`nest`]
//! chooses the loops. May not know: machines, threads, data.

mod body;
mod counted;
mod measure;
mod nest;

use std::collections::HashMap;
use std::sync::Arc;

use super::{BufferSpec, Invocation, Launch, Memory, Operand, Place, Plan, ScalarSource, Task};
use crate::dtype::Scalar;
use crate::error::{Error, Result};
use crate::graph::{Fusion, Graph, Group, Ix, Kind};

/// The plan of an optimized graph.
///
/// # Errors
/// A bug, if the graph was not fused or an invariant does not hold.
pub fn lower(graph: &Graph) -> Result<Plan> {
    let fusion =
        graph.fusion.as_ref().ok_or_else(|| Error::bug("lower: the graph is not fused"))?;
    let mut lowering = Lowering {
        graph,
        fusion,
        plan: Plan::default(),
        buffers: HashMap::new(),
        scalars: HashMap::new(),
    };
    for group in &fusion.groups {
        if let &[root] = &group.roots[..]
            && let Kind::Call(slot) = graph[root].kind
        {
            let call = lowering.call(root, slot)?;
            lowering.plan.steps.push(Task::Call(call));
            continue;
        }
        let launch = lowering.launch(group)?;
        if cfg!(any(test, debug_assertions, feature = "verify")) {
            super::verify::verify(&launch.kernel).map_err(|e| {
                let text = super::print::text(&launch.kernel, "k");
                Error::bug(format!("{e}\n{:?}\n{text}", launch.extents))
            })?;
        }
        lowering.plan.steps.push(Task::Launch(launch));
    }
    lowering.finish()
}

/// The plan as it grows.
struct Lowering<'a> {
    graph: &'a Graph,
    fusion: &'a Fusion,
    plan: Plan,
    /// The buffer of each root seen so far.
    buffers: HashMap<Ix, u32>,
    /// The plan's scalar for each node and literal seen so far.
    scalars: HashMap<ScalarKey, u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum ScalarKey {
    Node(Ix),
    Literal(Scalar),
}

impl Lowering<'_> {
    fn launch(&mut self, group: &Group) -> Result<Launch> {
        for &root in &group.roots {
            if let Kind::Update(_) = self.graph[root].kind {
                let base = self.graph.source(self.graph.operands(root)[0]);
                if let Some(&buffer) = self.buffers.get(&base) {
                    self.buffers.insert(root, buffer);
                    continue;
                }
                if self.graph[base].kind != Kind::Empty {
                    return Err(Error::bug("lower: an update comes before its base"));
                }
            }
            self.buffer(root);
        }
        let body = body::write(self, group)?;
        let (kernel, extents, bufs) =
            nest::choose(group, body.lines, &body.accesses, body.tables.len(), &body.scalars);
        let mut launch = Launch {
            kernel: Arc::new(kernel),
            extents,
            bufs,
            scalars: body.scalars.iter().map(|s| s.0).collect(),
            tables: body.tables,
        };
        launch.bufs.shrink_to_fit();
        Ok(launch)
    }

    /// A buffer for a root.
    fn buffer(&mut self, root: Ix) -> u32 {
        let node = &self.graph[root];
        let spec = BufferSpec { dtype: node.dtype, shape: node.shape.clone(), last_use: None };
        let place = self.plan.buffers.len() as u32;
        self.buffers.insert(root, place);
        self.plan.buffers.push(spec);
        place
    }

    fn call(&mut self, at: Ix, slot: u32) -> Result<Invocation> {
        let operands = self.graph.operands(at);
        let operands = operands.into_iter().map(|o| self.operand(o)).collect::<Result<_>>()?;
        let name = self.graph.calls.get(slot as usize).cloned();
        let name = name.ok_or_else(|| Error::bug("lower: a call without a name"))?;
        Ok(Invocation { slot, name, operands, result: self.buffer(at) })
    }

    /// Where a call reads an operand: a view of memory is read through its strides.
    fn operand(&mut self, at: Ix) -> Result<Operand> {
        if self.graph.is_scalar(at) {
            return self.scalar(at).map(Operand::Scalar);
        }
        let node = &self.graph[at];
        let (dtype, shape) = (node.dtype, node.shape.clone());
        let lost = || Error::bug("lower: a call's operand is not in memory");
        // Imaginary parts follow real ones.
        let skip = |at: Ix| match self.graph[at].kind {
            Kind::Component(true) => self.graph[at].dtype.size().cast_signed(),
            _ => 0,
        };
        let place = match &node.kind {
            // A view that is wanted itself has a buffer, and is read there.
            Kind::View(view) if !self.buffers.contains_key(&at) => {
                let below = self.graph.operands(at)[0];
                let (memory, own) = self.memory(below).ok_or_else(lost)?;
                let (offset, strides) = view.place(&own, shape.len());
                // Of nothing there is no first element.
                let offset = if node.size() == 0 { 0 } else { offset + skip(below) };
                Place { memory, offset, strides }
            }
            _ => {
                let (memory, strides) = self.memory(at).ok_or_else(lost)?;
                Place { memory, offset: if node.size() == 0 { 0 } else { skip(at) }, strides }
            }
        };
        Ok(Operand::View { place, dtype, shape })
    }

    /// Notes when each temporary is used last, and which buffers are results.
    fn finish(mut self) -> Result<Plan> {
        let mut outputs = Vec::new();
        for o in &self.graph.outputs {
            let b = self
                .buffers
                .get(o)
                .copied()
                .ok_or_else(|| Error::bug("lower: an output has no buffer"))?;
            outputs.push(b);
        }
        for (index, step) in self.plan.steps.iter().enumerate() {
            for memory in step.touches() {
                if let Memory::Buffer(b) = memory {
                    self.plan.buffers[b as usize].last_use = Some(index as u32);
                }
            }
        }
        for &b in &outputs {
            self.plan.buffers[b as usize].last_use = None;
        }
        self.plan.outputs = outputs;
        Ok(self.plan)
    }

    /// The plan's scalar for a node that depends on scalars alone, with what it is made of (in a
    /// loop: such chains may be long).
    fn scalar(&mut self, at: Ix) -> Result<u32> {
        let mut stack = vec![at];
        while let Some(&top) = stack.last() {
            if self.scalars.contains_key(&ScalarKey::Node(top)) {
                stack.pop();
                continue;
            }
            let operands = self.graph.operands(top);
            let place = |o: &Ix| self.scalars.get(&ScalarKey::Node(*o)).copied();
            let missing: Vec<Ix> =
                operands.iter().copied().filter(|o| place(o).is_none()).collect();
            if !missing.is_empty() {
                stack.extend(missing);
                continue;
            }
            let args = operands.iter().filter_map(place).collect();
            let source = self.source(top, args)?;
            let index = self.push_scalar(ScalarKey::Node(top), source);
            self.scalars.insert(ScalarKey::Node(top), index);
            stack.pop();
        }
        Ok(self.scalars[&ScalarKey::Node(at)])
    }

    fn source(&self, at: Ix, args: smallvec::SmallVec<[u32; 3]>) -> Result<ScalarSource> {
        let node = &self.graph[at];
        let first = || self.graph.operands(at).first().map(|&o| self.graph[o].dtype);
        let missing = || Error::bug("lower: a scalar op without operands");
        Ok(match node.kind {
            Kind::Scalar(slot) => ScalarSource::Argument(slot),
            Kind::Literal(value) => ScalarSource::Shape(value),
            Kind::Map(op) => {
                let typed = *self.graph.operands(at).last().ok_or_else(missing)?;
                ScalarSource::Map { op, dtype: self.graph[typed].dtype, args }
            }
            Kind::Cast => ScalarSource::Cast {
                from: first().ok_or_else(missing)?,
                to: node.dtype,
                arg: args[0],
            },
            Kind::Narrow => ScalarSource::Narrow {
                from: first().ok_or_else(missing)?,
                to: node.dtype,
                arg: args[0],
            },
            _ => return Err(Error::bug("lower: an array is used as a scalar")),
        })
    }

    /// The plan's scalar for a number that follows from the shapes.
    fn literal(&mut self, value: Scalar) -> u32 {
        let key = ScalarKey::Literal(value);
        match self.scalars.get(&key) {
            Some(&index) => index,
            None => self.push_scalar(key, ScalarSource::Shape(value)),
        }
    }

    fn push_scalar(&mut self, key: ScalarKey, source: ScalarSource) -> u32 {
        let index = self.plan.scalars.len() as u32;
        self.plan.scalars.push(source);
        self.scalars.insert(key, index);
        index
    }

    /// Whether a loop puts a node into memory.
    fn is_root(&self, at: Ix) -> bool {
        self.fusion.roots.contains_key(&at)
    }

    /// Where a node's elements lie, with their strides; `None` if it is computed in loops.
    fn memory(&self, at: Ix) -> Option<(Memory, crate::shape::Strides)> {
        let node = &self.graph[at];
        let c_order = || crate::shape::c_strides(&node.shape, node.dtype.size());
        match node.kind {
            Kind::Input(slot) => {
                let meta = &self.graph.inputs[slot as usize];
                Some((Memory::Input(slot), meta.strides.clone()))
            }
            // The real parts are where the numbers are.
            Kind::Component(_) => self.memory(self.graph.operands(at)[0]),
            Kind::Reshape => {
                let from = self.graph.operands(at)[0];
                let memory = match self.buffers.get(&from) {
                    Some(&b) if !self.graph.is_c_ordered_input(from) => Memory::Buffer(b),
                    _ => self.memory(from)?.0,
                };
                Some((memory, c_order()))
            }
            _ => self.buffers.get(&at).map(|&b| (Memory::Buffer(b), c_order())),
        }
    }

    /// Where the elements of a table lie, contiguous.
    fn table_memory(&self, at: Ix) -> Result<(Memory, isize)> {
        let (memory, _) = match self.buffers.get(&at) {
            Some(&b) if !self.graph.is_c_ordered_input(at) => {
                (Memory::Buffer(b), crate::shape::Strides::new())
            }
            _ => self.memory(at).ok_or_else(|| Error::bug("lower: a table is not in memory"))?,
        };
        Ok((memory, 0))
    }
}
