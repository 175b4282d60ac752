package dev.nibble.api.faults;

import dev.nibble.api.faults.Fault.Operation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/** A file of a {@link FaultyFileSystem}. A write that fails is half done, as a real one may be. */
final class FaultyChannel extends FileChannel {
  private final FaultyFileSystem system;
  private final FileChannel real;

  FaultyChannel(FaultyFileSystem system, FileChannel real) {
    this.system = system;
    this.real = real;
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    try {
      system.before(Operation.WRITE);
    } catch (Fault.Killed | IOException e) {
      real.write(bytes.slice(bytes.position(), bytes.remaining() / 2));
      throw e;
    }
    return real.write(bytes);
  }

  @Override
  public long write(ByteBuffer[] buffers, int offset, int length) throws IOException {
    long written = 0;
    for (int i = 0; i < length; i++) {
      written += write(buffers[offset + i]);
    }
    return written;
  }

  @Override
  public int write(ByteBuffer bytes, long position) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    system.before(Operation.OTHER);
    real.truncate(size);
    return this;
  }

  @Override
  public void force(boolean metadata) throws IOException {
    system.before(Operation.OTHER);
    real.force(metadata);
  }

  @Override
  public int read(ByteBuffer bytes) throws IOException {
    system.beforeRead();
    return real.read(bytes);
  }

  @Override
  public long read(ByteBuffer[] buffers, int offset, int length) throws IOException {
    system.beforeRead();
    return real.read(buffers, offset, length);
  }

  @Override
  public int read(ByteBuffer bytes, long position) throws IOException {
    system.beforeRead();
    return real.read(bytes, position);
  }

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
    return real.transferTo(position, count, target);
  }

  @Override
  public long position() throws IOException {
    return real.position();
  }

  @Override
  public FileChannel position(long position) throws IOException {
    real.position(position);
    return this;
  }

  @Override
  public long size() throws IOException {
    return real.size();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
    system.beforeRead();
    return real.map(mode, position, size);
  }

  @Override
  public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
    system.beforeRead();
    return real.map(mode, offset, size, arena);
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) throws IOException {
    return real.lock(position, size, shared);
  }

  @Override
  public @Nullable FileLock tryLock(long position, long size, boolean shared) throws IOException {
    return real.tryLock(position, size, shared);
  }

  /** Files of a dead process are closed, too. */
  @Override
  protected void implCloseChannel() throws IOException {
    real.close();
  }
}
