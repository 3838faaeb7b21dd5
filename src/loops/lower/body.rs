//! The lines of a kernel: every node of a group, seen from the loop space through the views above it.

use std::collections::HashMap;

use smallvec::{SmallVec, smallvec};

use super::super::{Line, Memory, Points, Positions, Role, Table, Value};
use super::counted::{Counted, counted};
use super::{Lowering, measure};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, Result};
use crate::graph::{Graph, GridKind, Group, Ix, Kind, View, ViewDim};
use crate::op::{Measure, Op};
use crate::shape::Strides;

/// A buffer as the body uses it: strides are per axis of the loop space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Access {
    pub memory: Memory,
    pub dtype: DType,
    pub role: Role,
    pub offset: isize,
    pub strides: Strides,
}

/// A body over the loop space of its group; `Index` lines still name axes of that space.
pub(super) struct Body {
    pub lines: Vec<Line>,
    pub accesses: Vec<Access>,
    /// Places in the plan's scalars, with their dtypes, in the order of the kernel's.
    pub scalars: Vec<(u32, DType)>,
    pub tables: Vec<Table>,
}

struct Writer<'a, 'g> {
    lowering: &'a mut Lowering<'g>,
    graph: &'g Graph,
    group: &'a Group,
    body: Body,
    values: HashMap<(Ix, View), Value>,
    loads: HashMap<Access, (u32, Value)>,
    scalars: HashMap<u32, Value>,
}

/// Writes the body of a group.
pub(super) fn write(lowering: &mut Lowering<'_>, group: &Group) -> Result<Body> {
    let body =
        Body { lines: Vec::new(), accesses: Vec::new(), scalars: Vec::new(), tables: Vec::new() };
    let graph = lowering.graph;
    let mut writer = Writer {
        lowering,
        graph,
        group,
        body,
        values: HashMap::new(),
        loads: HashMap::new(),
        scalars: HashMap::new(),
    };
    for &root in &group.roots {
        writer.root(root)?;
    }
    let mut body = writer.body;
    measure::absorb(&mut body.lines);
    Ok(body)
}

impl Writer<'_, '_> {
    fn root(&mut self, root: Ix) -> Result<()> {
        let node = &self.graph[root];
        let rank = self.group.shape.len();
        let buffer = Memory::Buffer(self.lowering.buffers[&root]);
        let size = node.dtype.size();
        let own = crate::shape::c_strides(&node.shape, size);
        if let Kind::Reduce { fold, axes } = &node.kind {
            let operand = self.graph.operands(root)[0];
            let value = self.value(operand, &View::identity(rank))?;
            // Kept axes move through the result in order; with keepdims, reduced ones have length 1.
            let kept: Vec<usize> = (0..rank).filter(|a| !axes.contains(a)).collect();
            let keepdims = node.shape.len() == rank;
            let mut strides: Strides = smallvec![0; rank];
            for (place, &axis) in kept.iter().enumerate() {
                strides[axis] = own[if keepdims { axis } else { place }];
            }
            let buf = self.access(Access {
                memory: buffer,
                dtype: node.dtype,
                role: Role::Folded,
                offset: 0,
                strides,
            });
            let dtype = self.graph[operand].dtype;
            let (fold, measure) = (*fold, Measure::Itself);
            self.body.lines.push(Line::Fold { fold, measure, dtype, buf, value });
        } else if node.kind == Kind::Complex {
            let part = node.dtype.component();
            for (place, operand) in self.graph.operands(root).into_iter().enumerate() {
                let view = View::broadcast(&self.graph[operand].shape, &node.shape);
                let value = self.value(operand, &view)?;
                let buf = self.access(Access {
                    memory: buffer,
                    dtype: part,
                    role: Role::Output,
                    offset: (place * part.size()).cast_signed(),
                    strides: own.clone(),
                });
                self.body.lines.push(Line::Store { buf, value });
            }
        } else if let Kind::Update(view) = &node.kind {
            let value = self.value(self.graph.operands(root)[1], &View::identity(rank))?;
            let (offset, strides) = self.place(view, &own);
            let buf = self.access(Access {
                memory: buffer,
                dtype: node.dtype,
                role: Role::Output,
                offset,
                strides,
            });
            self.body.lines.push(Line::Store { buf, value });
        } else {
            let value = self.value(root, &View::identity(rank))?;
            let buf = self.access(Access {
                memory: buffer,
                dtype: node.dtype,
                role: Role::Output,
                offset: 0,
                strides: own,
            });
            self.body.lines.push(Line::Store { buf, value });
        }
        Ok(())
    }

    fn access(&mut self, access: Access) -> u32 {
        self.body.accesses.push(access);
        self.body.accesses.len() as u32 - 1
    }

    fn push(&mut self, line: Line) -> Value {
        self.body.lines.push(line);
        self.body.lines.len() as Value - 1
    }

    /// The line that yields a node at the places of a view (in a loop, not by recursion).
    fn value(&mut self, at: Ix, view: &View) -> Result<Value> {
        let mut stack = vec![(at, view.clone())];
        while let Some((at, view)) = stack.last().cloned() {
            let key = (at, view);
            if self.values.contains_key(&key) {
                stack.pop();
                continue;
            }
            let needs = self.needs(key.0, &key.1);
            let before = stack.len();
            stack.extend(needs.iter().filter(|k| !self.values.contains_key(k)).cloned());
            if stack.len() > before {
                continue;
            }
            let args: SmallVec<[Value; 3]> = needs.iter().map(|k| self.values[k]).collect();
            let value = self.line(key.0, &key.1, args)?;
            self.values.insert(key, value);
            stack.pop();
        }
        Ok(self.values[&(at, view.clone())])
    }

    /// Whether a node's value comes from memory here: other loops' roots, and inputs.
    fn is_leaf(&self, at: Ix, view: &View) -> bool {
        if matches!(self.graph[at].kind, Kind::Input(_) | Kind::Reshape | Kind::Component(_)) {
            return true;
        }
        let here = self.group.roots.contains(&at)
            && view.is_identity(&self.graph[at].shape, &self.group.shape)
            && !matches!(self.graph[at].kind, Kind::Reduce { .. } | Kind::Update(_));
        self.lowering.is_root(at) && !here
    }

    /// The nodes, and their views, that a node's line needs first.
    fn needs(&self, at: Ix, view: &View) -> SmallVec<[(Ix, View); 3]> {
        let node = &self.graph[at];
        if self.graph.is_scalar(at) || self.is_leaf(at, view) {
            return SmallVec::new();
        }
        let operands = self.graph.operands(at);
        match &node.kind {
            Kind::Map(_) => operands
                .iter()
                .map(|&o| (o, view.of(&View::broadcast(&self.graph[o].shape, &node.shape))))
                .collect(),
            Kind::Cast if self.rounds(at).is_some() => self.needs(operands[0], view),
            Kind::Cast | Kind::Narrow | Kind::Copy => smallvec![(operands[0], view.clone())],
            Kind::View(inner) => smallvec![(operands[0], view.of(inner))],
            Kind::Interp { .. } => match self.counted(operands[0], view) {
                Some(_) => SmallVec::new(),
                None => smallvec![(operands[0], view.clone())],
            },
            _ => SmallVec::new(),
        }
    }

    fn line(&mut self, at: Ix, view: &View, args: SmallVec<[Value; 3]>) -> Result<Value> {
        if self.graph.is_scalar(at) {
            let place = self.lowering.scalar(at)?;
            return Ok(self.scalar(place, self.graph[at].dtype));
        }
        if self.is_leaf(at, view) {
            return self.load(at, view);
        }
        let node = &self.graph[at];
        let first = || self.graph.operands(at)[0];
        if let Some(interp) = self.rounds(at) {
            return self.interp(interp, view, node.dtype, &args);
        }
        Ok(match &node.kind {
            Kind::Map(op) => {
                let typed = self.graph.operands(at)[args.len() - 1];
                self.push(Line::Map { op: *op, dtype: self.graph[typed].dtype, args })
            }
            Kind::Cast | Kind::Narrow => self.push(Line::Cast {
                from: self.graph[first()].dtype,
                to: node.dtype,
                arg: args[0],
            }),
            Kind::View(_) | Kind::Copy => args[0],
            Kind::Iota => self.iota(view.dims[0]),
            Kind::Interp { .. } => return self.interp(at, view, DType::F64, &args),
            kind => return Err(Error::bug(format!("lower: {kind:?} inside a loop"))),
        })
    }

    /// The interpolation whose values a node makes `float32` of, and which nobody else sees.
    fn rounds(&self, at: Ix) -> Option<Ix> {
        if self.graph[at].kind != Kind::Cast || self.graph[at].dtype != DType::F32 {
            return None;
        }
        let from = self.graph.operands(at)[0];
        let alone = self.graph.users(from).len() == 1 && !self.lowering.is_root(from);
        (alone && matches!(self.graph[from].kind, Kind::Interp { .. })).then_some(from)
    }

    /// What positions are made of, and the number of the first, if along the only loop each has the number after
    /// that of the one before, and no loop puts anything of it into memory.
    fn counted(&self, positions: Ix, view: &View) -> Option<(Counted, i64)> {
        let [ViewDim { axis: Some(axis), step: 1, offset }] = view.dims[..] else { return None };
        // Axes of one element have no loops, unless a reduction goes over nothing else.
        let single = |(a, &extent): (usize, &usize)| (a == axis) != (extent == 1);
        let only = self.group.shape.iter().enumerate().all(single)
            && self.group.axes.as_ref().is_none_or(|axes| axes.contains(&axis));
        let counted = counted(self.graph, positions).filter(|_| only)?;
        let computed = |at: &Ix| !self.lowering.is_root(*at);
        counted.nodes.iter().all(computed).then_some((counted, offset))
    }

    fn interp(&mut self, at: Ix, view: &View, dtype: DType, args: &[Value]) -> Result<Value> {
        let table = self.table(at, view)?;
        Ok(self.push(Line::Interp { table, x: args.first().copied(), dtype }))
    }

    fn scalar(&mut self, place: u32, dtype: DType) -> Value {
        if let Some(&value) = self.scalars.get(&place) {
            return value;
        }
        let slot = self.body.scalars.len() as u32;
        self.body.scalars.push((place, dtype));
        let value = self.push(Line::Scalar { slot });
        self.scalars.insert(place, value);
        value
    }

    fn literal(&mut self, value: i64) -> Value {
        let place = self.lowering.literal(Scalar::i64(value));
        self.scalar(place, DType::I64)
    }

    fn load(&mut self, at: Ix, view: &View) -> Result<Value> {
        let (memory, own) = self
            .lowering
            .memory(at)
            .ok_or_else(|| Error::bug("lower: a node is read before it is in memory"))?;
        let (offset, strides) = self.place(view, &own);
        let offset = match self.graph[at].kind {
            Kind::Component(true) => offset + self.graph[at].dtype.size().cast_signed(),
            _ => offset,
        };
        let access =
            Access { memory, dtype: self.graph[at].dtype, role: Role::Input, offset, strides };
        if let Some(&(_, value)) = self.loads.get(&access) {
            return Ok(value);
        }
        let buf = self.access(access.clone());
        let value = self.push(Line::Load { buf });
        self.loads.insert(access, (buf, value));
        Ok(value)
    }

    /// Where a view of memory with these strides lies: its first byte, and its strides along the axes
    /// of the loop space.
    fn place(&self, view: &View, own: &[isize]) -> (isize, Strides) {
        let (offset, mut strides) = view.place(own, self.group.shape.len());
        // Strides along axes of length 1 mean nothing; 0 makes equal accesses equal.
        for (stride, &extent) in strides.iter_mut().zip(&self.group.shape) {
            if extent == 1 {
                *stride = 0;
            }
        }
        (offset, strides)
    }

    /// `offset + step * i` as `int64`.
    fn iota(&mut self, dim: ViewDim) -> Value {
        let moving = dim.axis.filter(|&a| self.group.shape[a] != 1 && dim.step != 0);
        let Some(axis) = moving else { return self.literal(dim.offset) };
        let mut value = self.push(Line::Index { dim: axis as u32 });
        for (op, operand, idle) in [(Op::Multiply, dim.step, 1), (Op::Add, dim.offset, 0)] {
            if operand != idle {
                let operand = self.literal(operand);
                value =
                    self.push(Line::Map { op, dtype: DType::I64, args: smallvec![value, operand] });
            }
        }
        value
    }

    /// What an interpolation's operand says.
    fn positions(&mut self, at: Ix, view: &View) -> Result<Positions> {
        let Some((Counted { step, start, stop, .. }, first)) = self.counted(at, view) else {
            return Ok(Positions::Given);
        };
        let mut or = |at: Option<Ix>, idle: f64| match at {
            Some(at) => self.lowering.scalar(at),
            None => Ok(self.lowering.literal(Scalar::f64(idle))),
        };
        let (step, start) = (or(step, 1.0)?, or(start, 0.0)?);
        let stop = match stop {
            Some((last, stop)) => Some((self.lowering.scalar(last)?, self.lowering.scalar(stop)?)),
            None => None,
        };
        Ok(Positions::Counted { first, step, start, stop })
    }

    /// The table of an interpolation.
    fn table(&mut self, at: Ix, view: &View) -> Result<u32> {
        let Kind::Interp { grid, left, right } = self.graph[at].kind else {
            return Err(Error::bug("lower: a table of no interpolation"));
        };
        let operands = self.graph.operands(at);
        let positions = self.positions(operands[0], view)?;
        let mut rest = operands[2..].iter().copied();
        let mut next = || rest.next().ok_or_else(|| Error::bug("lower: interp lacks an operand"));
        let (memory, offset) = self.lowering.table_memory(operands[1])?;
        let fp = (memory, offset, self.graph[operands[1]].dtype);
        let xp = match grid {
            GridKind::Points => {
                let (memory, offset) = self.lowering.table_memory(next()?)?;
                Points::Memory(memory, offset)
            }
            GridKind::Arange => Points::Arange {
                start: self.lowering.scalar(next()?)?,
                step: self.lowering.scalar(next()?)?,
            },
            GridKind::Linspace => Points::Linspace {
                start: self.lowering.scalar(next()?)?,
                step: self.lowering.scalar(next()?)?,
                stop: self.lowering.scalar(next()?)?,
            },
        };
        let left = if left { Some(self.lowering.scalar(next()?)?) } else { None };
        let right = if right { Some(self.lowering.scalar(next()?)?) } else { None };
        let len = self.graph[operands[1]].size();
        let table = Table { at: positions, len, xp, fp, left, right };
        Ok(match self.body.tables.iter().position(|t| *t == table) {
            Some(found) => found as u32,
            None => {
                self.body.tables.push(table);
                self.body.tables.len() as u32 - 1
            }
        })
    }
}
