package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.cpu.products.Gemm;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import java.lang.foreign.MemorySegment;

/** Products in float32; 16-bit operands are widened first. */
final class F32BlockProducts implements BlockProducts {
  private final Gemm gemm;

  F32BlockProducts(Gemm gemm) {
    this.gemm = gemm;
  }

  @Override
  public long stride(long keys) {
    return keys;
  }

  @Override
  public long mostKeys(long queries, long size) {
    return AttentionSegment.keyBlock(queries, size);
  }

  @Override
  public void scores(
      WorkerArena f, Rows q, long queries, Rows k, long keys, float scale, MemorySegment scores) {
    long mark = f.mark();
    HeadsView.Block a = q.read(f, queries);
    HeadsView.Block b = k.read(f, keys);
    HeadsView.Block c = HeadsView.Block.of(scores, keys);
    product(false, true, queries, keys, q.of().size(), scale, a, b, 0, c);
    f.release(mark);
  }

  @Override
  public void addWeighted(
      WorkerArena f,
      MemorySegment p,
      long queries,
      Rows v,
      long keys,
      float scale,
      MemorySegment out) {
    long mark = f.mark();
    long size = v.of().size();
    HeadsView.Block a = HeadsView.Block.of(p, keys);
    product(
        false,
        false,
        queries,
        size,
        keys,
        scale,
        a,
        v.read(f, keys),
        1,
        HeadsView.Block.of(out, size));
    f.release(mark);
  }

  @Override
  public void addTransposed(
      WorkerArena f,
      MemorySegment p,
      long queries,
      Rows q,
      long keys,
      float scale,
      MemorySegment out) {
    long mark = f.mark();
    long size = q.of().size();
    HeadsView.Block a = HeadsView.Block.of(p, keys);
    product(
        true,
        false,
        keys,
        size,
        queries,
        scale,
        a,
        q.read(f, queries),
        1,
        HeadsView.Block.of(out, size));
    f.release(mark);
  }

  private void product(
      boolean transA,
      boolean transB,
      long m,
      long n,
      long k,
      float alpha,
      HeadsView.Block a,
      HeadsView.Block b,
      float beta,
      HeadsView.Block c) {
    gemm.onThisThread(
        transA,
        transB,
        m,
        n,
        k,
        alpha,
        a.address(),
        a.stride(),
        b.address(),
        b.stride(),
        beta,
        c.address(),
        c.stride());
  }
}
