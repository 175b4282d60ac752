package dev.nibble.compute.kernels.nd4j;

import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Attention as matrix products with a masked softmax between them: for each segment, each key/value
 * head, and as many query rows at a time as keep the scores within {@link #MOST_SCORES}. The query
 * heads that share a key/value head are rows of one product.
 */
final class Nd4jAttention {
  private static final long MOST_SCORES = 1 << 22;
  private static final double UNSEEN = -Float.MAX_VALUE;

  private final Tensor q;
  private final Tensor k;
  private final AttentionRule rule;
  private final long d;
  private final long keyHeads;
  private final long group;

  Nd4jAttention(Tensor q, Tensor k, AttentionRule rule) {
    this.q = q;
    this.k = k;
    this.rule = rule;
    this.d = q.cols();
    this.keyHeads = k.dim(1);
    this.group = q.dim(1) / keyHeads;
    if (q.dim(1) % keyHeads != 0 || k.cols() != d) {
      throw new IllegalArgumentException(
          "attention: the heads of %s and %s do not fit".formatted(q, k));
    }
  }

  /**
   * Queries from (inclusive) to to (exclusive) of one key/value head, and the keys that they see.
   */
  private record Tile(long from, long to, long kStart, long keys, long firstSees, long head) {
    long queries() {
      return to - from;
    }
  }

  private interface TileBody {
    void run(Tile tile);
  }

  private void forEachTile(Tensor segments, TileBody body) {
    for (long s = 0; s < segments.rows(); s++) {
      long qStart = segments.getInt(4 * s);
      long qLength = segments.getInt(4 * s + 1);
      long kStart = segments.getInt(4 * s + 2);
      long kLength = segments.getInt(4 * s + 3);
      if (qStart < 0
          || qStart + qLength > q.dim(0)
          || kStart < 0
          || kStart + kLength > k.dim(0)
          || kLength < qLength) {
        throw new IndexOutOfBoundsException(
            "segment (%d, %d, %d, %d) of %s and %s"
                .formatted(qStart, qLength, kStart, kLength, q, k));
      }
      long step = Math.clamp(MOST_SCORES / Math.max(1, group * kLength), 1, Math.max(1, qLength));
      for (long i = 0; i < qLength; i += step) {
        long end = Math.min(qLength, i + step);
        long sees = i + kLength - qLength + 1;
        for (long head = 0; head < keyHeads; head++) {
          long keys = rule.isCausal() ? end + kLength - qLength : kLength;
          body.run(new Tile(qStart + i, qStart + end, kStart, keys, sees, head));
        }
      }
    }
  }

  /**
   * The tile's rows of a [N, H, D] tensor (or [N, H], with width 1) as a view [queries, group,
   * width].
   */
  private INDArray queryView(Nd4jWork work, Tensor t, Tile tile, long width) {
    return work.keep(
        work.view(t, q.dim(0), q.dim(1), width)
            .get(
                interval(tile.from, tile.to),
                interval(tile.head * group, (tile.head + 1) * group),
                all()));
  }

  /** The same rows, copied, as a matrix [queries * group, width]. */
  private INDArray queries(Nd4jWork work, Tensor t, Tile tile, long width) {
    INDArray rows = work.keep(queryView(work, t, tile, width).dup('c'));
    return work.reshape(rows, tile.queries() * group, width);
  }

  private INDArray keyView(Nd4jWork work, Tensor t, Tile tile) {
    return work.keep(
        work.view(t, k.dim(0), keyHeads, d)
            .get(
                interval(tile.kStart, tile.kStart + tile.keys),
                interval(tile.head, tile.head + 1),
                all()));
  }

  private INDArray keys(Nd4jWork work, Tensor t, Tile tile) {
    return work.reshape(work.keep(keyView(work, t, tile).dup('c')), tile.keys, d);
  }

  /** scale q k^T, soft-capped where the rule says so. */
  private INDArray scores(Nd4jWork work, INDArray q, INDArray keys) {
    INDArray product = work.keep(Nd4j.gemm(q, keys, false, true));
    INDArray scores = work.keep(product.dup('c')).muli(rule.scale());
    if (rule.softCap() != 0) {
      Transforms.tanh(scores.divi(rule.softCap()), false).muli(rule.softCap());
    }
    return scores;
  }

  /** The scores, and a very negative number where a query does not see a key. */
  private INDArray masked(Nd4jWork work, INDArray scores, Tile tile) {
    int rows = Math.toIntExact(tile.queries() * group);
    float[] ends = new float[rows];
    float[] starts = new float[rows];
    for (int i = 0; i < rows; i++) {
      ends[i] = rule.isCausal() ? tile.firstSees + i / group : tile.keys;
      starts[i] = rule.window() == 0 ? 0 : ends[i] - rule.window();
    }
    INDArray key = work.reshape(work.keep(Nd4j.arange((double) tile.keys)), 1, tile.keys);
    INDArray unseen = work.empty(rows, tile.keys).assign(UNSEEN);
    INDArray end = work.keep(Nd4j.create(ends, rows, 1));
    INDArray seen = work.select(work.less(key, end), scores, unseen);
    if (rule.window() == 0) {
      return seen;
    }
    INDArray start = work.keep(Nd4j.create(starts, rows, 1));
    return work.select(work.less(key, start), unseen, seen);
  }

  void forward(Tensor out, Tensor lse, Tensor v, Tensor segments) {
    forEachTile(
        segments,
        tile -> {
          try (Nd4jWork work = new Nd4jWork()) {
            INDArray scores = scores(work, queries(work, q, tile, d), keys(work, k, tile));
            INDArray p = masked(work, scores, tile);
            INDArray max = work.keep(p.max(true, 1));
            p.subiColumnVector(max);
            Transforms.exp(p, false);
            INDArray sum = work.keep(p.sum(true, 1));
            p.diviColumnVector(sum);
            INDArray result = work.keep(p.mmul(keys(work, v, tile)));
            assign(work, queryView(work, out, tile, d), result);
            assign(work, queryView(work, lse, tile, 1), Transforms.log(sum, false).addi(max));
          }
        });
  }

  private static void assign(Nd4jWork work, INDArray view, INDArray rows) {
    view.assign(work.reshape(work.keep(rows.dup('c')), view.shape()));
  }

  private static void add(Nd4jWork work, INDArray view, INDArray rows) {
    view.addi(work.reshape(work.keep(rows.dup('c')), view.shape()));
  }

  void backward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dout,
      Tensor out,
      Tensor lse,
      Tensor v,
      Tensor segments) {
    forEachTile(
        segments,
        tile -> {
          try (Nd4jWork work = new Nd4jWork()) {
            INDArray query = queries(work, q, tile, d);
            INDArray key = keys(work, k, tile);
            INDArray g = queries(work, dout, tile, d);
            INDArray scores = scores(work, query, key);
            INDArray p = masked(work, scores, tile);
            p.subiColumnVector(queries(work, lse, tile, 1));
            Transforms.exp(p, false);
            INDArray delta = work.keep(work.keep(g.mul(queries(work, out, tile, d))).sum(true, 1));
            INDArray ds = work.keep(Nd4j.gemm(g, keys(work, v, tile), false, true));
            ds.subiColumnVector(delta);
            INDArray dScores = work.keep(ds.mul(p)).muli(rule.scale());
            if (rule.softCap() != 0) {
              INDArray bend = scores.divi(rule.softCap());
              dScores.muli(bend.muli(bend).rsubi(1));
            }
            add(work, queryView(work, dq, tile, d), work.keep(dScores.mmul(key)));
            add(work, keyView(work, dk, tile), work.keep(Nd4j.gemm(dScores, query, true, false)));
            add(work, keyView(work, dv, tile), work.keep(Nd4j.gemm(p, g, true, false)));
          }
        });
  }
}
