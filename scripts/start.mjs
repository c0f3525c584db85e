// npm start: the transaction pool in its three modes, recorded and compared, from a fresh clone on. About a minute.
import { at, must } from "./lib.mjs";
import { setUp } from "./setup.mjs";

setUp({ everyNode: false });
const words = ["compare", "--workload", "txpool", "--modes", "pooled,naive,mmap", "--runs", "1", "--duration", "15s"];
must(process.execPath, [at("bin", "gcspike.js"), ...words], { stdio: "inherit" });
