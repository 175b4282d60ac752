package dev.nibble.compute.kernels.cpu;

import static dev.nibble.compute.kernels.cpu.VectorMath.LANES;
import static dev.nibble.compute.kernels.cpu.VectorMath.get;
import static dev.nibble.compute.kernels.cpu.VectorMath.load;
import static dev.nibble.compute.kernels.cpu.VectorMath.set;
import static dev.nibble.compute.kernels.cpu.VectorMath.store;
import static dev.nibble.compute.kernels.cpu.VectorMath.vectorEnd;

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

  /** Where one segment's queries and keys lie. */
  private record Segment(long queryStart, long queries, long keyStart, long keys) {
    static Segment of(Tensor segments, long s) {
      MemorySegment m = segments.memory();
      return new Segment(
          VectorMath.getInt(m, 4 * s),
          VectorMath.getInt(m, 4 * s + 1),
          VectorMath.getInt(m, 4 * s + 2),
          VectorMath.getInt(m, 4 * s + 3));
    }

    /** Keys that the queries before {@code query} see. */
    long visibleBefore(long query) {
      return Math.clamp(query + keys - queries, 0, keys);
    }
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

  void forward(Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, float scale) {
    Arguments.requireHeads("attentionForward", q, k, lse, segments);
    Arguments.requireSameShape("attentionForward", q, out);
    Arguments.requireSameShape("attentionForward", k, v);
    Forward task = new Forward(Heads.of(out), lse, Heads.of(q), Heads.of(k), Heads.of(v), scale);
    long heads = task.q.heads;
    workers.each(
        segments.dim(0) * heads,
        (worker, from, to) -> {
          for (long item = from; item < to; item++) {
            forward(task, Segment.of(segments, item / heads), item % heads, scratch.of(worker));
          }
        });
  }

  private record Forward(Heads out, Tensor lse, Heads q, Heads k, Heads v, float scale) {}

  private void forward(Forward t, Segment segment, long head, MemorySegment scores) {
    long kvHead = head / (t.q.heads / t.k.heads);
    long size = t.q.size;
    long max = SCORES;
    long sum = max + MAX_QUERIES;
    long queryBlock = Math.min(segment.queries, MAX_QUERIES);
    for (long query = 0; query < segment.queries; query += queryBlock) {
      long queries = Math.min(queryBlock, segment.queries - query);
      long token = segment.queryStart + query;
      for (long i = 0; i < queries; i++) {
        set(scores, max + i, Float.NEGATIVE_INFINITY);
        set(scores, sum + i, 0);
        VectorMath.zero(t.out.tensor.memory(), t.out.element(token + i, head), size);
      }
      long visible = segment.visibleBefore(query + queries);
      long keyBlock = SCORES / queryBlock;
      for (long key = 0; key < visible; key += keyBlock) {
        long keys = Math.min(keyBlock, visible - key);
        long keyToken = segment.keyStart + key;
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
          long seen = Math.clamp(segment.visibleBefore(query + i + 1) - key, 0, keys);
          softmaxRow(scores, i * keys, seen, keys, max + i, sum + i, t.out, token + i, head);
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
   * Turns a row of scores into weights relative to the largest score so far, and rescales what that
   * changes.
   */
  private static void softmaxRow(
      MemorySegment scores,
      long row,
      long seen,
      long keys,
      long max,
      long sum,
      Heads out,
      long token,
      long head) {
    if (seen > 0) {
      float before = get(scores, max);
      float now = Math.max(before, VectorMath.max(scores, row, seen));
      double total = VectorMath.expInPlace(scores, row, seen, now);
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
    VectorMath.zero(scores, row + seen, keys - seen);
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
      float scale) {
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
            scale);
    // The query heads of a group add to the same dk and dv: one worker takes the group.
    long groups = task.k.heads;
    workers.each(
        segments.dim(0) * groups,
        (worker, from, to) -> {
          for (long item = from; item < to; item++) {
            backward(task, Segment.of(segments, item / groups), item % groups, scratch.of(worker));
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
      float scale) {}

  private void backward(Backward t, Segment segment, long kvHead, MemorySegment buffer) {
    if (segment.queries != segment.keys) {
      throw new IllegalArgumentException(
          "attentionBackward: a segment has %d queries and %d keys; expected as many"
              .formatted(segment.queries, segment.keys));
    }
    long group = t.q.heads / t.k.heads;
    long queryBlock = Math.min(segment.queries, MAX_QUERIES);
    long keyBlock = Math.min(segment.keys, SCORES / Math.max(1, queryBlock));
    for (long head = kvHead * group; head < (kvHead + 1) * group; head++) {
      for (long query = 0; query < segment.queries; query += queryBlock) {
        long queries = Math.min(queryBlock, segment.queries - query);
        long visible = query + queries;
        for (long key = 0; key < visible; key += keyBlock) {
          long keys = Math.min(keyBlock, visible - key);
          backward(t, segment, head, kvHead, query, queries, key, keys, buffer);
        }
      }
    }
  }

  private void backward(
      Backward t,
      Segment segment,
      long head,
      long kvHead,
      long query,
      long queries,
      long key,
      long keys,
      MemorySegment buffer) {
    long size = t.q.size;
    long token = segment.queryStart + query;
    long keyToken = segment.keyStart + key;
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
      long seen = Math.clamp(query + i + 1 - key, 0, keys);
      float logSum = get(t.lse.memory(), (token + i) * t.q.heads + head);
      double delta =
          VectorMath.dot(
              t.dout.tensor.memory(),
              t.dout.element(token + i, head),
              t.out.tensor.memory(),
              t.out.element(token + i, head),
              size);
      softmaxRowBackward(buffer, i * keys, seen, keys, logSum, (float) delta);
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

  /** P = exp(scores - lse) in place, and dS = P * (dP - delta) in place of dP. */
  private static void softmaxRowBackward(
      MemorySegment m, long row, long seen, long keys, float lse, float delta) {
    long end = vectorEnd(0, seen);
    long i = row;
    for (; i < row + end; i += LANES) {
      FloatVector p = VectorMath.exp(load(m, i).sub(lse));
      store(p, m, i);
      store(load(m, SCORES + i).sub(delta).mul(p), m, SCORES + i);
    }
    for (; i < row + seen; i++) {
      float p = VectorMath.exp(get(m, i) - lse);
      set(m, i, p);
      set(m, SCORES + i, (get(m, SCORES + i) - delta) * p);
    }
    VectorMath.zero(m, row + seen, keys - seen);
    VectorMath.zero(m, SCORES + row + seen, keys - seen);
  }
}
