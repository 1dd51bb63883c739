export { announcesBody, closeIfUnread } from './unread-body.ts';
