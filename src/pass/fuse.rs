//! Fusion: which nodes are written to memory, and which of those share a loop.
//!
//! A node in memory is a root. Everything between roots is computed inside the loops that need it, in
//! registers; a light node that two loops need is computed twice rather than kept. Nodes become roots
//! only for a [`Reason`]. Roots of one shape that do not wait for each other share a loop. What is
//! stored into an array waits for all that reads the array as it was ([`place`]).

use std::collections::{HashMap, HashSet};

use super::place;
use crate::graph::{Fusion, Graph, Group, Ix, Kind, Reason};
use crate::shape::{Axes, Shape};

/// The most nodes in one loop: register allocation and compile time grow faster than the loop.
const MAX_NODES: usize = 96;
/// The most roots in one loop.
const MAX_ROOTS: usize = 16;

/// Decides the cuts and the loops.
pub(super) fn run(graph: &mut Graph) {
    place::arrange(graph);
    let mut cutter = Cutter::new(graph);
    cutter.required();
    cutter.repeated();
    cutter.dear();
    cutter.too_long();
    let mut roots = cutter.roots;
    place::share(graph, &mut roots);
    let groups = group(graph, &roots);
    graph.fusion = Some(Fusion { roots, groups });
}

/// Whether a node is computed inside loops, as opposed to read or computed beforehand.
fn fusable(graph: &Graph, at: Ix) -> bool {
    let node = &graph[at];
    !node.once
        && matches!(
            node.kind,
            Kind::Map(_)
                | Kind::Cast
                | Kind::Narrow
                | Kind::View(_)
                | Kind::Copy
                | Kind::Interp { .. }
        )
}

struct Cutter<'a> {
    graph: &'a Graph,
    order: Vec<Ix>,
    roots: HashMap<Ix, Reason>,
}

impl<'a> Cutter<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self { graph, order: graph.order(), roots: HashMap::new() }
    }

    fn cut(&mut self, at: Ix, reason: Reason) {
        self.roots.entry(at).or_insert(reason);
    }

    /// What must be in memory whatever it costs.
    fn required(&mut self) {
        for &at in &self.order.clone() {
            match self.graph[at].kind {
                Kind::Reduce { .. } => self.cut(at, Reason::Reduction),
                Kind::Copy => self.cut(at, Reason::Kept),
                Kind::Update(_) => {
                    self.cut(at, Reason::Updated);
                    let base = self.graph.source(self.graph.operands(at)[0]);
                    if self.graph[base].kind != Kind::Empty {
                        self.cut(base, Reason::Base);
                    }
                }
                Kind::Call(slot) => {
                    self.cut(at, Reason::Called);
                    for operand in self.graph.operands(at) {
                        if !self.graph.is_scalar(operand) && !is_readable(self.graph, operand) {
                            self.cut(operand, Reason::Opaque(slot));
                        }
                    }
                }
                Kind::Reshape => {
                    let from = self.graph.operands(at)[0];
                    if !self.graph.is_c_ordered_input(from)
                        && self.graph[from].kind != Kind::Reshape
                    {
                        self.cut(from, Reason::Contiguous);
                    }
                }
                Kind::Interp { grid, .. } => {
                    let operands = self.graph.operands(at);
                    let points = usize::from(grid == crate::graph::GridKind::Points);
                    for &table in &operands[1..2 + points] {
                        if !self.graph.is_c_ordered_input(table)
                            && self.graph[table].kind != Kind::Reshape
                        {
                            self.cut(table, Reason::Contiguous);
                        }
                    }
                }
                _ => {}
            }
        }
        for &output in &self.graph.outputs {
            self.cut(output, Reason::Wanted);
        }
    }

    /// What lies between `at` and the roots below it.
    fn holds(&self, test: impl Fn(&Graph, Ix) -> bool) -> HashMap<Ix, bool> {
        let mut holds = HashMap::new();
        for &at in &self.order {
            let below =
                |&o: &Ix| !self.roots.contains_key(&o) && holds.get(&o).copied().unwrap_or(false);
            let own = test(self.graph, at);
            let any = own || (fusable(self.graph, at) && self.graph.operands(at).iter().any(below));
            holds.insert(at, any);
        }
        holds
    }

    /// A dear node, or one that counts along an axis, seen by a larger loop.
    fn repeated(&mut self) {
        // Loops that count (`iota`) along one axis are kept from being spread over several: an even
        // ramp over a stereo take is computed once.
        let marked =
            self.holds(|g, at| g[at].is_heavy() && !g[at].once || g[at].kind == Kind::Iota);
        for &at in &self.order.clone() {
            if !fusable(self.graph, at) {
                continue;
            }
            let size = self.graph[at].size();
            for operand in self.graph.operands(at) {
                let node = &self.graph[operand];
                let computed = fusable(self.graph, operand) || node.kind == Kind::Iota;
                if marked[&operand] && computed && node.size() < size {
                    self.cut(operand, Reason::Repeated);
                }
            }
        }
    }

    /// Dear nodes whose users end up in different loops, or see it through overlapping views.
    fn dear(&mut self) {
        let dear = self.holds(|g, at| g[at].is_heavy() && !g[at].once);
        let ends = self.ends();
        for &at in &self.order.clone() {
            if !dear[&at] || !fusable(self.graph, at) || self.roots.contains_key(&at) {
                continue;
            }
            let users = self.graph.users(at);
            let branches = users.iter().any(|u| self.roots.contains_key(u) || ends[u] != ends[&at]);
            let viewed: usize = users
                .iter()
                .filter(|&&u| matches!(self.graph[u].kind, Kind::View(_)))
                .map(|&u| self.graph[u].size())
                .sum();
            if (users.len() > 1 && ends[&at].len() > 1 && branches)
                || viewed > self.graph[at].size()
            {
                self.cut(at, Reason::Dear);
            }
        }
    }

    /// Per node, the loops that it ends up in: stage, shape and reduced axes, at most a few of them.
    fn ends(&self) -> HashMap<Ix, Vec<(usize, Shape, Option<Axes>)>> {
        let stages = self.stages();
        let mut ends: HashMap<Ix, Vec<(usize, Shape, Option<Axes>)>> = HashMap::new();
        for &at in self.order.iter().rev() {
            let mut own = Vec::new();
            if self.roots.contains_key(&at) && !is_barrier(self.graph, at) {
                own.push((stages[&at], self.graph[at].shape.clone(), None));
            }
            for user in self.graph.users(at) {
                // A call reads memory, and is no loop.
                if matches!(self.graph[user].kind, Kind::Call(_)) {
                    continue;
                }
                if let Kind::Reduce { axes, .. } = &self.graph[user].kind {
                    own.push((stages[&at], self.graph[at].shape.clone(), Some(axes.clone())));
                } else if self.roots.contains_key(&user) {
                    own.push((stages[&user], self.graph.loop_shape(user).clone(), None));
                } else {
                    own.extend(ends.get(&user).into_iter().flatten().take(4).cloned());
                }
            }
            own.sort_unstable();
            own.dedup();
            // A plain store joins a reduction over the same shape in the same stage.
            let joined: Vec<_> = own
                .iter()
                .filter(|e| {
                    e.2.is_some() || !own.iter().any(|o| o.0 == e.0 && o.1 == e.1 && o.2.is_some())
                })
                .cloned()
                .collect();
            ends.insert(at, joined);
        }
        ends
    }

    /// Per node, how many reductions, updates and calls must finish before it.
    fn stages(&self) -> HashMap<Ix, usize> {
        let mut stages: HashMap<Ix, usize> = HashMap::new();
        for &at in &self.order {
            let operands = self.graph.operands(at);
            let after = |o: &Ix| stages[o] + usize::from(is_barrier(self.graph, *o));
            let stage = operands.iter().map(after).max().unwrap_or(0);
            stages.insert(at, stage);
        }
        stages
    }

    /// Cuts chains that would not fit a loop.
    fn too_long(&mut self) {
        let mut inside: HashMap<Ix, Vec<Ix>> = HashMap::new();
        for &at in &self.order.clone() {
            let called = matches!(self.graph[at].kind, Kind::Call(_));
            if !fusable(self.graph, at) && (called || !is_barrier(self.graph, at)) {
                inside.insert(at, vec![at]);
                continue;
            }
            loop {
                let operands = self.graph.operands(at);
                let mut set = vec![at];
                for o in &operands {
                    if self.roots.contains_key(o) { set.push(*o) } else { set.extend(&inside[o]) }
                }
                set.sort_unstable();
                set.dedup();
                let largest = operands
                    .iter()
                    .filter(|o| !self.roots.contains_key(o) && fusable(self.graph, **o))
                    .max_by_key(|o| inside[o].len());
                match largest {
                    Some(&o) if set.len() > MAX_NODES => self.cut(o, Reason::TooLong),
                    _ => {
                        inside.insert(at, set);
                        break;
                    }
                }
            }
        }
    }
}

/// What a root needs from other roots, and the nodes of its loop.
pub(super) struct Needs {
    /// Roots that must be complete first.
    pub(super) hard: Vec<Ix>,
    /// Roots read at the same place only: they may be in the same loop.
    pub(super) soft: Vec<Ix>,
    nodes: HashSet<Ix>,
}

pub(super) fn needs(graph: &Graph, roots: &HashMap<Ix, Reason>, root: Ix) -> Needs {
    let shape = graph.loop_shape(root);
    let mut needs = Needs { hard: Vec::new(), soft: Vec::new(), nodes: HashSet::new() };
    // Each node is visited as seen at its own place and as seen through a view.
    let mut seen: HashSet<(Ix, bool)> = HashSet::new();
    let update = matches!(graph[root].kind, Kind::Update(_));
    let barrier = is_barrier(graph, root) && !update;
    let mut stack: Vec<(Ix, bool)> = if barrier {
        // A call is no loop, so whatever it reads must be complete.
        let here = matches!(graph[root].kind, Kind::Reduce { .. });
        graph.operands(root).iter().map(|&o| (o, here)).collect()
    } else {
        vec![(root, true)]
    };
    if barrier {
        needs.nodes.insert(root);
    }
    let mut first = !barrier;
    while let Some((at, here)) = stack.pop() {
        if !seen.insert((at, here)) {
            continue;
        }
        needs.nodes.insert(at);
        let own = std::mem::take(&mut first);
        // Inputs are read where they are, whether or not a copy of them is wanted too.
        if roots.contains_key(&at) && !own && !is_memory(graph, at) {
            let pointwise = here && graph[at].shape == *shape && !is_barrier(graph, at);
            if pointwise {
                needs.soft.push(at);
            } else {
                needs.hard.push(at);
            }
            continue;
        }
        match &graph[at].kind {
            Kind::Component(_) => {
                needs.hard.extend(Some(graph.operands(at)[0]).filter(|o| roots.contains_key(o)));
            }
            Kind::Reshape => {
                let mut from = graph.operands(at)[0];
                while graph[from].kind == Kind::Reshape && !roots.contains_key(&from) {
                    from = graph.operands(from)[0];
                }
                if roots.contains_key(&from) {
                    needs.hard.push(from);
                }
            }
            Kind::Update(_) => {
                let operands = graph.operands(at);
                needs
                    .hard
                    .extend(Some(graph.source(operands[0])).filter(|b| roots.contains_key(b)));
                stack.push((operands[1], here));
            }
            Kind::Interp { .. } => {
                let operands = graph.operands(at);
                stack.push((operands[0], here));
                for &table in &operands[1..] {
                    if roots.contains_key(&table) {
                        needs.hard.push(table);
                    } else {
                        stack.push((table, false));
                    }
                }
            }
            kind => {
                let here = here && !matches!(kind, Kind::View(_));
                stack.extend(graph.operands(at).iter().map(|&o| (o, here)));
            }
        }
    }
    needs
}

/// Puts every root into a loop: the loop of a root it reads in place, or one of its stage and shape
/// that shares something with it, or a new one. A call stands alone.
fn group(graph: &Graph, roots: &HashMap<Ix, Reason>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of: HashMap<Ix, usize> = HashMap::new();
    let mut open: HashMap<(usize, Shape), Vec<usize>> = HashMap::new();
    // Updates whose value does not look at what they store into.
    let mut blind: HashSet<Ix> = HashSet::new();
    let bases = graph.nodes.node_indices().filter_map(|at| place::base(graph, at));
    let mut readers: HashMap<Ix, Vec<Ix>> = bases.map(|base| (base, Vec::new())).collect();
    for at in graph.order() {
        if !roots.contains_key(&at) {
            continue;
        }
        let shape = graph.loop_shape(at).clone();
        let axes = reduced(graph, at);
        let mut needs = needs(graph, roots, at);
        let base = place::base(graph, at);
        let mut twin = None;
        if let Some(base) = base {
            let earlier = readers.remove(&base).unwrap_or_default();
            let reads = needs.hard.iter().chain(&needs.soft).filter(|&&o| o == base).count();
            if reads < 2 {
                blind.insert(at);
                twin = place::twin(graph, at, &group_of, &blind).filter(|_| earlier.is_empty());
            }
            // It is stored to when all that reads it as it was has been done.
            needs.hard.extend(earlier);
        }
        for read in needs.hard.iter().chain(&needs.soft) {
            if let Some(readers) = readers.get_mut(read) {
                readers.push(at);
            }
        }
        let after = |o: &Ix| group_of.get(o).map_or(0, |&g| groups[g].stage + 1);
        let without = |skip: Option<Ix>| {
            needs.hard.iter().filter(|&&o| Some(o) != skip).map(after).max().unwrap_or(0)
        };
        let least = without(None);
        // A loop that computes what is read in place, or else the earliest stage after all of it.
        let joined = needs
            .soft
            .iter()
            .filter_map(|o| group_of.get(o))
            .max_by_key(|&&g| groups[g].stage)
            .copied();
        let alone = needs.soft.iter().map(after).max().unwrap_or(0).max(least);
        let fits = |g: usize, groups: &[Group], least: usize| {
            let group = &groups[g];
            let ready = needs
                .soft
                .iter()
                .all(|o| group_of.get(o).is_none_or(|&s| s == g || groups[s].stage < group.stage));
            let axes_fit = match (&group.axes, &axes) {
                (Some(a), Some(b)) => a == b,
                (Some(a), None) | (None, Some(a)) => a.len() == shape.len() || a.len() == 1,
                (None, None) => true,
            };
            ready
                && group.stage >= least
                && group.shape == shape
                && axes_fit
                && group.roots.len() < MAX_ROOTS
                && group.nodes.len() + needs.nodes.difference(&group.nodes).count() <= MAX_NODES
        };
        let shares = |g: usize| {
            needs.nodes.iter().any(|n| {
                groups[g].nodes.contains(n)
                    && !matches!(graph[*n].kind, Kind::Scalar(_) | Kind::Literal(_))
            })
        };
        let candidates = open.get(&(alone, shape.clone()));
        let called = matches!(graph[at].kind, Kind::Call(_));
        let candidates = candidates.filter(|_| !called);
        let twin = twin.filter(|&g| fits(g, &groups, without(base)));
        let found = twin.or(joined.filter(|&g| fits(g, &groups, least))).or_else(|| {
            candidates
                .into_iter()
                .flatten()
                .rev()
                .take(4)
                .copied()
                .find(|&g| fits(g, &groups, least) && shares(g))
        });
        let g = found.unwrap_or_else(|| {
            groups.push(Group {
                shape: shape.clone(),
                axes: None,
                roots: Vec::new(),
                stage: alone,
                nodes: HashSet::new(),
            });
            if !called {
                open.entry((alone, shape)).or_default().push(groups.len() - 1);
            }
            groups.len() - 1
        });
        groups[g].roots.push(at);
        groups[g].nodes.extend(&needs.nodes);
        if axes.is_some() {
            groups[g].axes = axes;
        }
        group_of.insert(at, g);
    }
    groups.sort_by_key(|g| g.stage);
    groups
}

/// The axes that a node reduces.
fn reduced(graph: &Graph, at: Ix) -> Option<Axes> {
    if let Kind::Reduce { axes, .. } = &graph[at].kind { Some(axes.clone()) } else { None }
}

/// Whether a node is memory already.
pub(super) fn is_memory(graph: &Graph, at: Ix) -> bool {
    matches!(graph[at].kind, Kind::Input(_) | Kind::Reshape | Kind::Component(_))
}

/// Whether a call can read a node where it lies: what is memory already or becomes it anyway, and views of it.
fn is_readable(graph: &Graph, at: Ix) -> bool {
    let below = graph.below_views(at);
    is_memory(graph, below) || is_barrier(graph, below)
}

/// Whether all of a node must be there before any use of it.
fn is_barrier(graph: &Graph, at: Ix) -> bool {
    matches!(graph[at].kind, Kind::Reduce { .. } | Kind::Call(_) | Kind::Update(_))
}
