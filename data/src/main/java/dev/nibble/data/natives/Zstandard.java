package dev.nibble.data.natives;

import com.github.luben.zstd.util.Native;

/** The native part of zstd-jni. */
public final class Zstandard {
  static {
    Unpacking.into(folder -> Native.load(folder.toFile()));
  }

  private Zstandard() {}

  /** Loads it, once; whoever decompresses calls this first. */
  public static void load() {}
}
