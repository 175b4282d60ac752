package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.ReferenceValues.cols;
import static dev.nibble.compute.kernels.ReferenceValues.doubles;
import static dev.nibble.compute.kernels.ReferenceValues.store;
import static dev.nibble.compute.kernels.ReferenceValues.sum;

import dev.nibble.compute.tensor.Tensor;

/** The specification of {@link AttentionKernels}: one query of one head at a time. */
class ReferenceAttentionKernels implements AttentionKernels {

  /** One query row of one head: where its vectors lie and which keys it sees. */
  private record Query(int row, int q, int lse, int firstKey, int keys, int stride) {
    int key(int j) {
      return firstKey + j * stride;
    }
  }

  private interface QueryVisitor {
    void visit(Query query);
  }

  private static void forEachQuery(
      Tensor q, Tensor k, Tensor segments, AttentionRule rule, QueryVisitor visitor) {
    int heads = Math.toIntExact(q.dim(1));
    int keyHeads = Math.toIntExact(k.dim(1));
    int d = cols(q);
    for (int s = 0; s < segments.rows(); s++) {
      int qStart = segments.getInt(4L * s);
      int qLength = segments.getInt(4L * s + 1);
      int kStart = segments.getInt(4L * s + 2);
      int seen = segments.getInt(4L * s + 3) - qLength + 1;
      for (int i = 0; i < qLength; i++) {
        for (int h = 0; h < heads; h++) {
          int row = (qStart + i) * heads + h;
          int from = rule.window() == 0 ? 0 : Math.max(0, seen + i - rule.window());
          int firstKey = ((kStart + from) * keyHeads + h / (heads / keyHeads)) * d;
          int keys = rule.isCausal() ? seen + i - from : segments.getInt(4L * s + 3);
          visitor.visit(new Query(qStart + i, row * d, row, firstKey, keys, keyHeads * d));
        }
      }
    }
  }

  private static double capped(double score, AttentionRule rule) {
    double c = rule.softCap();
    return c == 0 ? score : c * Math.tanh(score / c);
  }

  private static double capSlope(double capped, AttentionRule rule) {
    double c = rule.softCap();
    return c == 0 ? 1 : 1 - (capped / c) * (capped / c);
  }

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    int d = cols(q);
    double[] qs = doubles(q);
    double[] ks = doubles(k);
    double[] vs = doubles(v);
    forEachQuery(
        q,
        k,
        segments,
        rule,
        row -> {
          double[] p = new double[row.keys];
          double max = Double.NEGATIVE_INFINITY;
          for (int j = 0; j < p.length; j++) {
            int key = row.key(j);
            p[j] = capped(rule.scale() * sum(d, e -> qs[row.q + e] * ks[key + e]), rule);
            max = Math.max(max, p[j]);
          }
          double shift = max;
          double total = sum(p.length, j -> Math.exp(p[j] - shift));
          lse.setFloat(row.lse, max + Math.log(total));
          for (int e = 0; e < d; e++) {
            int column = e;
            out.setFloat(
                row.q + e,
                sum(p.length, j -> Math.exp(p[j] - shift) / total * vs[row.key(j) + column]));
          }
        });
  }

  @Override
  public void attentionBackward(
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
    int d = cols(q);
    double[] qs = doubles(q);
    double[] ks = doubles(k);
    double[] vs = doubles(v);
    double[] os = doubles(out);
    double[] dos = doubles(dout);
    double[] dqs = doubles(dq);
    double[] dks = doubles(dk);
    double[] dvs = doubles(dv);
    forEachQuery(
        q,
        k,
        segments,
        rule,
        row -> {
          double delta = sum(d, e -> dos[row.q + e] * os[row.q + e]);
          for (int j = 0; j < row.keys; j++) {
            int key = row.key(j);
            double z = capped(rule.scale() * sum(d, e -> qs[row.q + e] * ks[key + e]), rule);
            double p = Math.exp(z - lse.getDouble(row.lse));
            double dz = p * (sum(d, e -> dos[row.q + e] * vs[key + e]) - delta);
            double ds = rule.scale() * dz * capSlope(z, rule);
            for (int e = 0; e < d; e++) {
              dqs[row.q + e] += ds * ks[key + e];
              dks[key + e] += ds * qs[row.q + e];
              dvs[key + e] += p * dos[row.q + e];
            }
          }
        });
    store(dq, i -> dqs[i]);
    store(dk, i -> dks[i]);
    store(dv, i -> dvs[i]);
  }
}
