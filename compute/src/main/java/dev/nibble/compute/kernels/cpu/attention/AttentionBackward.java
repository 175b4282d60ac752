package dev.nibble.compute.kernels.cpu.attention;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.cpu.attention.BlockProducts.Rows;
import dev.nibble.compute.kernels.cpu.work.Arguments;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The gradient of {@link AttentionForward}, in the same blocks. Probabilities are recomputed from
 * the log-sum-exp that forward saved. Gradients are summed in float32 scratch and rounded once when
 * they are added to the output.
 */
final class AttentionBackward {
  /** Floats of key gradients that are summed in scratch at once; value gradients take as many. */
  private static final long STRIP = 1 << 18;

  private final AttentionProducts products;
  private final ParallelLoops loops;

  AttentionBackward(AttentionProducts products, ParallelLoops loops) {
    this.products = products;
    this.loops = loops;
  }

  void run(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dout,
      Tensor out,
      Tensor lse,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor segments,
      AttentionRule rule) {
    Arguments.requireHeads("attentionBackward", q, k, lse, segments);
    Arguments.requireSameShape("attentionBackward", q, out, dout, dq);
    Arguments.requireSameShape("attentionBackward", k, v, dk, dv);
    Task task =
        new Task(
            HeadsView.of(dq),
            HeadsView.of(dk),
            HeadsView.of(dv),
            HeadsView.of(dout),
            HeadsView.of(out),
            lse,
            HeadsView.of(q),
            HeadsView.of(k),
            HeadsView.of(v),
            (float) rule.scale(),
            (float) rule.softCap());
    // The query heads of a group add to the same dk and dv: one worker takes the group.
    long groups = task.k.heads();
    for (long i = 0; i < segments.dim(0); i++) {
      var segment = AttentionSegment.of(segments, i, rule);
      products.prepareBackward(task.q, segment, task.scale);
    }
    loops.items(
        segments.dim(0) * groups,
        (f, item) -> {
          var segment = AttentionSegment.of(segments, item / groups, rule);
          group(task, segment, item % groups, f);
        });
  }

  private record Task(
      HeadsView dq,
      HeadsView dk,
      HeadsView dv,
      HeadsView dout,
      HeadsView out,
      Tensor lse,
      HeadsView q,
      HeadsView k,
      HeadsView v,
      float scale,
      float softCap) {}

  /**
   * A strip of keys {@code from} to {@code to} of a segment, processed against all its queries.
   *
   * @param dk sums of these keys' gradients, [to - from, D]
   * @param dv sums of these values' gradients
   * @param forQueries whether this adds to dq
   * @param forKeys whether this adds to dk and dv
   */
  private record Strip(
      long from,
      long to,
      MemorySegment dk,
      MemorySegment dv,
      boolean forQueries,
      boolean forKeys) {}

  private void group(Task t, AttentionSegment segment, long kvHead, WorkerArena f) {
    if (segment.queries() != segment.keys()) {
      throw new IllegalArgumentException(
          "attentionBackward: a segment has %d queries and %d keys; expected as many"
              .formatted(segment.queries(), segment.keys()));
    }
    long size = t.q.size();
    long length = Math.clamp(STRIP / Math.max(1, size), 1, Math.max(1, segment.keys()));
    MemorySegment dk = f.allocate(length * size);
    MemorySegment dv = f.allocate(length * size);
    // A query's gradient sums over all strips. With a 16-bit gradient, which must be rounded once,
    // they are taken in one sweep.
    boolean apart = length < segment.keys() && t.dq.tensor().dtype() != DType.F32;
    long mark = f.mark();
    for (long key = 0; key < segment.keys(); key += length) {
      long keys = Math.min(length, segment.keys() - key);
      VectorMath.zero(dk, 0, keys * size);
      VectorMath.zero(dv, 0, keys * size);
      sweep(t, segment, kvHead, new Strip(key, key + keys, dk, dv, !apart, true), f);
      f.release(mark);
      t.dk.add(f, segment.keyStart() + key, kvHead, keys, dk);
      t.dv.add(f, segment.keyStart() + key, kvHead, keys, dv);
    }
    if (apart) {
      sweep(t, segment, kvHead, new Strip(0, segment.keys(), dk, dv, true, false), f);
    }
  }

  /** All queries of a group of heads against the keys of a strip. */
  private void sweep(Task t, AttentionSegment segment, long kvHead, Strip strip, WorkerArena f) {
    long group = t.q.heads() / t.k.heads();
    long queryBlock = AttentionSegment.queryBlock(segment.queries(), t.q.size());
    long mark = f.mark();
    for (long head = kvHead * group; head < (kvHead + 1) * group; head++) {
      for (long query = 0; query < segment.queries(); query += queryBlock) {
        long queries = Math.min(queryBlock, segment.queries() - query);
        long from = Math.max(strip.from, segment.seenFrom(query));
        long to = Math.min(strip.to, segment.seenTo(query + queries - 1));
        if (from < to) {
          f.release(mark);
          queries(t, segment, head, kvHead, query, queries, from, to, strip, f);
        }
      }
    }
  }

  /** A block of queries against keys {@code from} to {@code to}. */
  private void queries(
      Task t,
      AttentionSegment segment,
      long head,
      long kvHead,
      long query,
      long queries,
      long from,
      long to,
      Strip strip,
      WorkerArena f) {
    long size = t.q.size();
    long token = segment.queryStart() + query;
    MemorySegment delta = delta(t, token, head, queries, f);
    MemorySegment dqs = f.allocate(queries * size);
    VectorMath.zero(dqs, 0, queries * size);
    BlockProducts on = products.of(t.q, segment);
    Rows q = new Rows(t.q, token, head);
    Rows dout = new Rows(t.dout, token, head);
    long keyBlock = on.mostKeys(queries, size);
    long mark = f.mark();
    for (long key = from; key < to; key += keyBlock) {
      long keys = Math.min(keyBlock, to - key);
      f.release(mark);
      long stride = on.stride(keys);
      MemorySegment ps = f.allocate(queries * stride);
      MemorySegment dss = f.allocate(queries * stride);
      Rows k = new Rows(t.k, segment.keyStart() + key, kvHead);
      Rows v = new Rows(t.v, segment.keyStart() + key, kvHead);
      on.scores(f, q, queries, k, keys, t.scale, ps);
      on.scores(f, dout, queries, v, keys, 1, dss);
      MemorySegment work = f.allocate(keys);
      for (long i = 0; i < queries; i++) {
        long first = Math.clamp(segment.seenFrom(query + i) - key, 0, keys);
        long last = Math.clamp(segment.seenTo(query + i) - key, first, keys);
        float logSum = get(t.lse.memory(), (token + i) * t.q.heads() + head);
        softmaxRow(
            ps, dss, i * stride + first, last - first, logSum, get(delta, i), t.softCap, work);
        for (MemorySegment m : new MemorySegment[] {ps, dss}) {
          VectorMath.zero(m, i * stride, first);
          VectorMath.zero(m, i * stride + last, keys - last);
        }
      }
      if (strip.forKeys) {
        long row = 4 * (key - strip.from) * size;
        on.addTransposed(f, ps, queries, dout, keys, 1, strip.dv.asSlice(row));
        on.addTransposed(f, dss, queries, q, keys, t.scale, strip.dk.asSlice(row));
      }
      if (strip.forQueries) {
        on.addWeighted(f, dss, queries, k, keys, t.scale, dqs);
      }
    }
    if (strip.forQueries) {
      f.release(mark);
      t.dq.add(f, token, head, queries, dqs);
    }
  }

  /** delta of each query: sum_d dout * out. */
  private static MemorySegment delta(Task t, long token, long head, long queries, WorkerArena f) {
    MemorySegment delta = f.allocate(queries);
    long mark = f.mark();
    for (long i = 0; i < queries; i++) {
      f.release(mark);
      long at = t.out.element(token + i, head);
      MemorySegment dout = f.read(t.dout.tensor(), at, t.q.size());
      MemorySegment out = f.read(t.out.tensor(), at, t.q.size());
      set(delta, i, (float) VectorMath.dot(dout, 0, out, 0, t.q.size()));
    }
    f.release(mark);
    return delta;
  }

  /**
   * P = exp(z - lse) in place of scores, and dS = P * (dP - delta) * (1 - (z / cap)^2) in place of
   * dP; z are the scores, capped unless cap is 0.
   */
  private static void softmaxRow(
      MemorySegment p,
      MemorySegment ds,
      long from,
      long n,
      float lse,
      float delta,
      float cap,
      MemorySegment work) {
    if (cap != 0) {
      VectorMath.softCap(p, from, n, cap, work);
      capSlope(p, ds, from, n, delta, cap);
    }
    VectorMath.exp(p, from, p, from, n, 1, lse);
    float shift = cap == 0 ? delta : 0;
    long end = vectorEnd(from, from + n);
    long i = from;
    for (; i < end; i += LANES) {
      store(load(ds, i).sub(shift).mul(load(p, i)), ds, i);
    }
    for (; i < from + n; i++) {
      set(ds, i, (get(ds, i) - shift) * get(p, i));
    }
  }

  /** (dP - delta) * (1 - (z / cap)^2) in place of dP. */
  private static void capSlope(
      MemorySegment z, MemorySegment dp, long from, long n, float delta, float cap) {
    long end = vectorEnd(from, from + n);
    long i = from;
    for (; i < end; i += LANES) {
      FloatVector t = load(z, i).div(cap);
      FloatVector d = load(dp, i).sub(delta);
      store(d.sub(d.mul(t).mul(t)), dp, i);
    }
    for (; i < from + n; i++) {
      float t = get(z, i) / cap;
      set(dp, i, (get(dp, i) - delta) * (1 - t * t));
    }
  }
}
