package dev.nibble.compute.kernels.cpu.attention;

import static dev.nibble.compute.kernels.cpu.work.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.work.VectorMath.set;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.cpu.attention.BlockProducts.Rows;
import dev.nibble.compute.kernels.cpu.work.Arguments;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.ParallelLoops;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Causal attention in blocks of queries and keys, with the softmax carried from block to block
 * (FlashAttention, arXiv:2205.14135): a worker's blocks stay in its L2 cache.
 */
final class AttentionForward {
  private final AttentionProducts products;
  private final ParallelLoops loops;

  AttentionForward(AttentionProducts products, ParallelLoops loops) {
    this.products = products;
    this.loops = loops;
  }

  void run(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    Arguments.requireHeads("attentionForward", q, k, lse, segments);
    Arguments.requireSameShape("attentionForward", q, out);
    Arguments.requireSameShape("attentionForward", k, v);
    Task task =
        new Task(
            HeadsView.of(out),
            lse,
            HeadsView.of(q),
            HeadsView.of(k),
            HeadsView.of(v),
            (float) rule.scale(),
            (float) rule.softCap());
    long heads = task.q.heads();
    for (long i = 0; i < segments.dim(0); i++) {
      var segment = AttentionSegment.of(segments, i, rule);
      products.prepareForward(task.q, segment, task.scale);
    }
    loops.items(
        segments.dim(0) * heads,
        (f, item) -> {
          var segment = AttentionSegment.of(segments, item / heads, rule);
          head(task, segment, item % heads, f);
        });
  }

  private record Task(
      HeadsView out,
      Tensor lse,
      HeadsView q,
      HeadsView k,
      HeadsView v,
      float scale,
      float softCap) {}

  /**
   * The online softmax of a block's queries: the largest score so far, and the sums relative to it.
   */
  private record Running(MemorySegment max, MemorySegment sum, MemorySegment out) {}

  private void head(Task t, AttentionSegment segment, long head, WorkerArena f) {
    long size = t.q.size();
    long queryBlock = AttentionSegment.queryBlock(segment.queries(), size);
    Running running =
        new Running(f.allocate(queryBlock), f.allocate(queryBlock), f.allocate(queryBlock * size));
    long mark = f.mark();
    for (long query = 0; query < segment.queries(); query += queryBlock) {
      long queries = Math.min(queryBlock, segment.queries() - query);
      f.release(mark);
      queries(t, segment, head, query, queries, running, f);
      store(t, segment.queryStart() + query, head, queries, running);
    }
  }

  private void queries(
      Task t,
      AttentionSegment segment,
      long head,
      long query,
      long queries,
      Running running,
      WorkerArena f) {
    long size = t.q.size();
    long kvHead = head / (t.q.heads() / t.k.heads());
    VectorMath.zero(running.out, 0, queries * size);
    VectorMath.zero(running.sum, 0, queries);
    for (long i = 0; i < queries; i++) {
      set(running.max, i, Float.NEGATIVE_INFINITY);
    }
    BlockProducts on = products.of(t.q, segment);
    Rows q = new Rows(t.q, segment.queryStart() + query, head);
    long keyBlock = on.mostKeys(queries, size);
    long keyEnd = segment.seenTo(query + queries - 1);
    long mark = f.mark();
    for (long key = segment.seenFrom(query); key < keyEnd; key += keyBlock) {
      long keys = Math.min(keyBlock, keyEnd - key);
      f.release(mark);
      long stride = on.stride(keys);
      MemorySegment scores = f.allocate(queries * stride);
      Rows k = new Rows(t.k, segment.keyStart() + key, kvHead);
      on.scores(f, q, queries, k, keys, t.scale, scores);
      MemorySegment work = f.allocate(keys);
      for (long i = 0; i < queries; i++) {
        long from = Math.clamp(segment.seenFrom(query + i) - key, 0, keys);
        long to = Math.clamp(segment.seenTo(query + i) - key, from, keys);
        if (from < to) {
          if (t.softCap != 0) {
            VectorMath.softCap(scores, i * stride + from, to - from, t.softCap, work);
          }
          softmaxRow(scores, i * stride + from, to - from, running, i, size);
        }
        VectorMath.zero(scores, i * stride, from);
        VectorMath.zero(scores, i * stride + to, keys - to);
      }
      Rows v = new Rows(t.v, segment.keyStart() + key, kvHead);
      on.addWeighted(f, scores, queries, v, keys, 1, running.out);
    }
  }

  /**
   * Turns a query's scores into weights relative to its largest score so far, and rescales the
   * earlier sums.
   */
  private static void softmaxRow(
      MemorySegment scores, long from, long seen, Running running, long query, long size) {
    float before = get(running.max, query);
    float now = Math.max(before, VectorMath.max(scores, from, seen));
    double total = VectorMath.exp(scores, from, scores, from, seen, 1, now);
    float sum = get(running.sum, query);
    if (now > before && sum > 0) {
      float factor = VectorMath.exp(before - now);
      VectorMath.scale(running.out, query * size, size, factor);
      total += sum * factor;
    } else {
      total += sum;
    }
    set(running.max, query, now);
    set(running.sum, query, (float) total);
  }

  private static void store(Task t, long token, long head, long queries, Running running) {
    long size = t.q.size();
    for (long i = 0; i < queries; i++) {
      float total = get(running.sum, i);
      VectorMath.scale(running.out, i * size, size, total == 0 ? 0 : 1 / total);
      Conversion.narrow(
          running.out, i * size, t.out.tensor(), t.out.element(token + i, head), size);
      float logSum = (float) (get(running.max, i) + Math.log(total));
      set(t.lse.memory(), (token + i) * t.q.heads() + head, logSum);
    }
  }
}
