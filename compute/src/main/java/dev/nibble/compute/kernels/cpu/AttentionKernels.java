package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Causal attention in blocks of queries and keys, with the softmax carried from block to block
 * (FlashAttention, arXiv:2205.14135): no matrix of scores is larger than a worker's scratch.
 */
final class AttentionKernels {
  private static final long MAX_QUERIES = 128;

  /** Scores of one block; its gradient takes as many again. */
  private static final long SCORES = 1 << 16;

  private final Gemm gemm;
  private final Workers workers;
  private final Scratch scratch;

  AttentionKernels(Gemm gemm, Workers workers, Scratch scratch) {
    this.gemm = gemm;
    this.workers = workers;
    this.scratch = scratch;
  }

  /** The address of a head of a token, and the elements from one token to the next. */
  private record Heads(Tensor tensor, long heads, long size) {
    static Heads of(Tensor t) {
      return new Heads(t, t.dim(-2), t.dim(-1));
    }

    long stride() {
      return heads * size;
    }

    long element(long token, long head) {
      return (token * heads + head) * size;
    }

    long address(long token, long head) {
      return tensor.memory().address() + 4 * element(token, head);
    }
  }

  void forward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    Arguments.requireHeads("attentionForward", q, k, lse, segments);
    Arguments.requireSameShape("attentionForward", q, out);
    Arguments.requireSameShape("attentionForward", k, v);
    Forward task =
        new Forward(
            Heads.of(out),
            lse,
            Heads.of(q),
            Heads.of(k),
            Heads.of(v),
            (float) rule.scale(),
            (float) rule.softCap());
    long heads = task.q.heads;
    workers.each(
        segments.dim(0) * heads,
        (worker, from, to) -> {
          for (long item = from; item < to; item++) {
            var segment = AttentionSegment.of(segments, item / heads, rule.window());
            forward(task, segment, item % heads, scratch.of(worker));
          }
        });
  }

  private record Forward(
      Heads out, Tensor lse, Heads q, Heads k, Heads v, float scale, float softCap) {}

  private void forward(Forward t, AttentionSegment segment, long head, MemorySegment scores) {
    long kvHead = head / (t.q.heads / t.k.heads);
    long size = t.q.size;
    long max = SCORES;
    long sum = max + MAX_QUERIES;
    long queryBlock = Math.min(segment.queries(), MAX_QUERIES);
    for (long query = 0; query < segment.queries(); query += queryBlock) {
      long queries = Math.min(queryBlock, segment.queries() - query);
      long token = segment.queryStart() + query;
      for (long i = 0; i < queries; i++) {
        set(scores, max + i, Float.NEGATIVE_INFINITY);
        set(scores, sum + i, 0);
        VectorMath.zero(t.out.tensor.memory(), t.out.element(token + i, head), size);
      }
      long keyEnd = segment.seenTo(query + queries - 1);
      long keyBlock = SCORES / queryBlock;
      for (long key = segment.seenFrom(query); key < keyEnd; key += keyBlock) {
        long keys = Math.min(keyBlock, keyEnd - key);
        long keyToken = segment.keyStart() + key;
        gemm.onThisThread(
            false,
            true,
            queries,
            keys,
            size,
            t.scale,
            t.q.address(token, head),
            t.q.stride(),
            t.k.address(keyToken, kvHead),
            t.k.stride(),
            0,
            scores.address(),
            keys);
        for (long i = 0; i < queries; i++) {
          long from = Math.clamp(segment.seenFrom(query + i) - key, 0, keys);
          long to = Math.clamp(segment.seenTo(query + i) - key, 0, keys);
          if (from < to) {
            if (t.softCap != 0) {
              VectorMath.softCap(scores, i * keys + from, to - from, t.softCap);
            }
            softmaxRow(
                scores, i * keys + from, to - from, max + i, sum + i, t.out, token + i, head);
          }
          VectorMath.zero(scores, i * keys, from);
          VectorMath.zero(scores, i * keys + to, keys - to);
        }
        gemm.onThisThread(
            false,
            false,
            queries,
            size,
            keys,
            1,
            scores.address(),
            keys,
            t.v.address(keyToken, kvHead),
            t.v.stride(),
            1,
            t.out.address(token, head),
            t.out.stride());
      }
      for (long i = 0; i < queries; i++) {
        float total = get(scores, sum + i);
        float inverse = total == 0 ? 0 : 1 / total;
        VectorMath.scale(t.out.tensor.memory(), t.out.element(token + i, head), size, inverse);
        float logSum = (float) (get(scores, max + i) + Math.log(total));
        set(t.lse.memory(), (token + i) * t.q.heads + head, logSum);
      }
    }
  }

  /**
   * Turns scores of a query into weights relative to its largest score so far, and rescales what
   * that changes.
   */
  private static void softmaxRow(
      MemorySegment scores,
      long from,
      long seen,
      long max,
      long sum,
      Heads out,
      long token,
      long head) {
    float before = get(scores, max);
    float now = Math.max(before, VectorMath.max(scores, from, seen));
    double total = VectorMath.expInPlace(scores, from, seen, now);
    if (now > before && get(scores, sum) > 0) {
      float factor = VectorMath.exp(before - now);
      VectorMath.scale(out.tensor.memory(), out.element(token, head), out.size, factor);
      total += get(scores, sum) * factor;
    } else {
      total += get(scores, sum);
    }
    set(scores, max, now);
    set(scores, sum, (float) total);
  }

  void backward(
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
    Backward task =
        new Backward(
            Heads.of(dq),
            Heads.of(dk),
            Heads.of(dv),
            Heads.of(dout),
            Heads.of(out),
            lse,
            Heads.of(q),
            Heads.of(k),
            Heads.of(v),
            (float) rule.scale(),
            (float) rule.softCap());
    // The query heads of a group add to the same dk and dv: one worker takes the group.
    long groups = task.k.heads;
    workers.each(
        segments.dim(0) * groups,
        (worker, from, to) -> {
          for (long item = from; item < to; item++) {
            var segment = AttentionSegment.of(segments, item / groups, rule.window());
            backward(task, segment, item % groups, scratch.of(worker));
          }
        });
  }

  private record Backward(
      Heads dq,
      Heads dk,
      Heads dv,
      Heads dout,
      Heads out,
      Tensor lse,
      Heads q,
      Heads k,
      Heads v,
      float scale,
      float softCap) {}

  private void backward(Backward t, AttentionSegment segment, long kvHead, MemorySegment buffer) {
    if (segment.queries() != segment.keys()) {
      throw new IllegalArgumentException(
          "attentionBackward: a segment has %d queries and %d keys; expected as many"
              .formatted(segment.queries(), segment.keys()));
    }
    long group = t.q.heads / t.k.heads;
    long queryBlock = Math.min(segment.queries(), MAX_QUERIES);
    long keyBlock = Math.min(segment.keys(), SCORES / Math.max(1, queryBlock));
    for (long head = kvHead * group; head < (kvHead + 1) * group; head++) {
      for (long query = 0; query < segment.queries(); query += queryBlock) {
        long queries = Math.min(queryBlock, segment.queries() - query);
        long keyEnd = segment.seenTo(query + queries - 1);
        for (long key = segment.seenFrom(query); key < keyEnd; key += keyBlock) {
          long keys = Math.min(keyBlock, keyEnd - key);
          backward(t, segment, head, kvHead, query, queries, key, keys, buffer);
        }
      }
    }
  }

  private void backward(
      Backward t,
      AttentionSegment segment,
      long head,
      long kvHead,
      long query,
      long queries,
      long key,
      long keys,
      MemorySegment buffer) {
    long size = t.q.size;
    long token = segment.queryStart() + query;
    long keyToken = segment.keyStart() + key;
    long qs = t.q.address(token, head);
    long ks = t.k.address(keyToken, kvHead);
    long douts = t.dout.address(token, head);
    long p = buffer.address();
    long ds = p + 4 * SCORES;
    gemm.onThisThread(
        false, true, queries, keys, size, t.scale, qs, t.q.stride(), ks, t.k.stride(), 0, p, keys);
    long vs = t.v.address(keyToken, kvHead);
    gemm.onThisThread(
        false, true, queries, keys, size, 1, douts, t.dout.stride(), vs, t.v.stride(), 0, ds, keys);
    for (long i = 0; i < queries; i++) {
      long from = Math.clamp(segment.seenFrom(query + i) - key, 0, keys);
      long to = Math.clamp(segment.seenTo(query + i) - key, from, keys);
      float logSum = get(t.lse.memory(), (token + i) * t.q.heads + head);
      double delta =
          VectorMath.dot(
              t.dout.tensor.memory(),
              t.dout.element(token + i, head),
              t.out.tensor.memory(),
              t.out.element(token + i, head),
              size);
      softmaxRowBackward(buffer, i * keys + from, i * keys + to, logSum, (float) delta, t.softCap);
      zeroBoth(buffer, i * keys, from);
      zeroBoth(buffer, i * keys + to, keys - to);
    }
    long dvs = t.dv.address(keyToken, kvHead);
    gemm.onThisThread(
        true,
        false,
        keys,
        size,
        queries,
        1,
        p,
        keys,
        douts,
        t.dout.stride(),
        1,
        dvs,
        t.dv.stride());
    long dqs = t.dq.address(token, head);
    gemm.onThisThread(
        false,
        false,
        queries,
        size,
        keys,
        t.scale,
        ds,
        keys,
        ks,
        t.k.stride(),
        1,
        dqs,
        t.dq.stride());
    long dks = t.dk.address(keyToken, kvHead);
    gemm.onThisThread(
        true,
        false,
        keys,
        size,
        queries,
        t.scale,
        ds,
        keys,
        qs,
        t.q.stride(),
        1,
        dks,
        t.dk.stride());
  }

  /**
   * P = exp(z - lse) in place of scores, and dS = P * (dP - delta) * (1 - (z / cap)^2) in place of
   * dP; z are the scores, capped unless cap is 0.
   */
  private static void softmaxRowBackward(
      MemorySegment m, long from, long to, float lse, float delta, float cap) {
    if (cap != 0) {
      VectorMath.softCap(m, from, to - from, cap);
    }
    long end = vectorEnd(from, to);
    long i = from;
    for (; i < end; i += LANES) {
      FloatVector z = load(m, i);
      FloatVector p = VectorMath.exp(z.sub(lse));
      store(p, m, i);
      FloatVector ds = load(m, SCORES + i).sub(delta).mul(p);
      if (cap != 0) {
        FloatVector t = z.div(cap);
        ds = ds.sub(ds.mul(t).mul(t));
      }
      store(ds, m, SCORES + i);
    }
    for (; i < to; i++) {
      float z = get(m, i);
      float p = VectorMath.exp(z - lse);
      set(m, i, p);
      float t = cap == 0 ? 0 : z / cap;
      set(m, SCORES + i, (get(m, SCORES + i) - delta) * p * (1 - t * t));
    }
  }

  private static void zeroBoth(MemorySegment m, long from, long n) {
    VectorMath.zero(m, from, n);
    VectorMath.zero(m, SCORES + from, n);
  }
}
