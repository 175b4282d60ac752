/** What the machine has: memory, processor, disks. */
@NullMarked
package dev.nibble.api.machine;

import org.jspecify.annotations.NullMarked;
