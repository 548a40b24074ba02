// A chat server as an experienced developer writes it with Socket.IO and MongoDB: a message is stored durably, then sent
// to the room, then acknowledged. It leaves out what would cost it time and is not measured: logins, rates and checks.
//
//   MONGODB_URI=mongodb://127.0.0.1:27017/peer?replicaSet=natter node server.js
//
// It listens on a free port of 127.0.0.1 and says which on its first line.
import { createServer } from "node:http";
import { MongoClient } from "mongodb";
import { Server } from "socket.io";

const mongo = await new MongoClient(process.env.MONGODB_URI).connect();
const messages = mongo.db().collection("messages", { writeConcern: { w: "majority", journal: true } });
// The history of a room is read by it.
await messages.createIndex({ room: 1, _id: -1 });

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });

io.use((socket, next) => {
  const { user, room } = socket.handshake.auth;
  if (typeof user?.id !== "string" || typeof room !== "string") {
    next(new Error("the handshake must name a user and a room"));
    return;
  }
  socket.data.author = user;
  socket.data.room = room;
  next();
});

io.on("connection", (socket) => {
  const { author, room } = socket.data;
  socket.join(room);
  socket.on("send", async ({ clientId, body }, acknowledge) => {
    const message = { room, at: new Date(), author, kind: "message", clientId, body };
    try {
      const { insertedId } = await messages.insertOne(message);
      const { at, kind } = message;
      io.to(room).emit("message", { id: insertedId.toHexString(), room, at, author, kind, body });
      acknowledge({ status: "ok", id: insertedId.toHexString(), at });
    } catch (error) {
      acknowledge({ status: "error", message: error.message });
    }
  });
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.log(`the peer listens on http://127.0.0.1:${http.address().port}`);
});
