/** The mark of a backup put in place, for v1 channels: set beside the box's own, since each room takes its own away. */
export const OLD_COPY_V1_NOTE = 'old-copy/v1'
